"""The flags that several commands share. A field's docstring is its line in `--help`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter, Token

from keeprate.domain.numbers import LARGEST, whole
from keeprate.domain.requests import LARGEST_SEED, LARGEST_VARIANTS

PURPOSES = (
    "draft, preview, social, economy, hero, final_hero, print, product, character_lock, contextual_edit, "
    "text_board or infographic"
)
HANDED = Group("What is handed along", sort_key=5)
_WANTED = Group("What you want", sort_key=10)
_WHERE = Group("Where it is bought", sort_key=20)
_KEPT = Group("What becomes of it", sort_key=30)
_EVERYWHERE = Group("On every command", sort_key=90)


def count_of(field: str, *names: str, least: int = 0, most: int = LARGEST) -> Parameter:
    """Return the parameter of a whole number: 2.9 is no number of images, and is not made 3 either."""

    def read(_: type, tokens: Sequence[Token]) -> int:
        text = tokens[0].value
        try:
            number = int(text)
        except ValueError:
            return whole(text, field=field, least=least, most=most)
        return whole(number, field=field, least=least, most=most)

    return Parameter(alias=names, converter=read)


@Parameter(name="*", group=_EVERYWHERE)
@dataclass(frozen=True, slots=True, kw_only=True)
class Everywhere:
    """What every command takes."""

    json: bool = False
    """Print one JSON document on standard output, failures too."""
    home: Path | None = None
    """Folder that holds the ledger and the images. Otherwise KEEPRATE_HOME, else the platform's."""
    as_of: Annotated[str | None, Parameter(help="Use the facts of that day, such as 2026-04-15.")] = None
    workspace: str | None = None
    """Whose ledger, budgets and images. Otherwise default."""
    quiet: Annotated[bool, Parameter(alias="-q")] = False
    """No progress and no notes; of a purchase only the file and the charge."""
    verbose: Annotated[bool, Parameter(alias="-v")] = False
    """Say more about what is being done."""


@Parameter(name="*", group=_WANTED)
@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the image is for and how it must be. Policies read these fields, never the prompt."""

    purpose: Annotated[str, Parameter(help=f"{PURPOSES}. Otherwise economy.")] = "economy"
    size: str = "1K"
    """512, 1K, 2K or 4K. Otherwise 1K."""
    ratio: str | None = None
    """Width to height, such as 16:9. Otherwise square, or as the reference."""
    variants: Annotated[int, count_of("variants", "-n", least=1, most=LARGEST_VARIANTS)] = 1
    """How many images. Otherwise 1."""
    text: str | None = None
    """Lettering in the image: none, short or dense. Otherwise as the purpose implies."""
    text_heavy: bool = False
    """The same as --text dense."""
    layout: str | None = None
    """simple or complex. Otherwise as the purpose implies."""
    reference_fidelity: str | None = None
    """How closely references must be kept: loose or strict. Otherwise as the purpose implies."""
    asset: str | None = None
    """draft or final. Otherwise as the purpose implies."""
    failure_cost: str | None = None
    """US dollars that one rejected image costs you."""
    review: str | None = None
    """Who looks before it counts: internal or external. Otherwise internal."""
    deadline: str | None = None
    """How long you can wait: 30s, 10m, 24h or 2d. Otherwise now."""
    video: str | None = None
    """Address of a video handed along (a file the upstream holds, or YouTube)."""
    grounding: bool = False
    """Let the model look things up in Google Search."""
    system: str | None = None
    """A system instruction."""
    thinking: str | None = None
    """How long the model may think: minimal, low, medium or high. Otherwise as the model does by itself."""
    seed: Annotated[int | None, count_of("seed", most=LARGEST_SEED)] = None
    """A number that makes similar calls more alike, where a model takes one."""


@Parameter(name="*", group=_WHERE)
@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which routes may serve it, and who chooses."""

    policy: str | None = None
    """flash-first, quality-first, six-model, cheapest or pinned. Otherwise flash-first, or your setting."""
    model: str | None = None
    """Only this model: an id, or a market name."""
    upstream: str | None = None
    """Only this connection: the name of an upstream."""
    lane: str | None = None
    """live, flex, priority or batch. Otherwise live."""


@Parameter(name="*", group=_KEPT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What becomes of what is bought."""

    output: Annotated[Path | None, Parameter(alias="-o")] = None
    """Also write the image here. It is kept in the home anyway."""
    overwrite: bool = False
    """Replace the file at --output."""
    no_prompt_in_file: bool = False
    """Keep the prompt out of the file's metadata."""
    intent: str | None = None
    """Your own id for this purchase: asked again with the same one, it is not bought twice."""
    yes: Annotated[bool, Parameter(alias="-y")] = False
    """Agree to the first real purchase of a new home without being asked."""
    explain: bool = False
    """Name every route that was not chosen, and why."""
    partial: bool = False
    """Buy as many of the images wanted as the caps allow."""


EVERYWHERE = Everywhere()
WANTED = Wanted()
WHERE = Where()
KEPT = Kept()
