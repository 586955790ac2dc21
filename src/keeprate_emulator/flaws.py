"""What a drawing gets wrong, by invented rates, decided from what is visible on the wire."""

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keeprate_emulator import facts
from keeprate_emulator.drawing.letters import lacks, settable


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The habits of one model family. Every rate is a chance between 0 and 1."""

    misspelt_word: float
    dropped_label: float
    shifted_colour: float
    per_reference: float
    wrong_subject: float
    jpeg: float
    size_factor: Mapping[str, float]
    thinking: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing drawn wrong: kind, what was asked for, what was drawn."""

    kind: str
    wanted: str
    drawn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaws:
    """Everything one picture gets wrong."""

    labels: tuple[str, ...]
    colours_shifted: bool = False
    wrong_subject: bool = False
    found: tuple[Flaw, ...] = ()


def profiles(path: Path | None) -> Mapping[str, Profile]:
    """Return the habits of every family, from the file given or the one in the package."""
    book = facts.table("flaws") if path is None else tomllib.loads(path.read_text("utf-8"))
    return {name: _profile(row) for name, row in book["family"].items()}


def flaws_of(
    labels: tuple[str, ...], profile: Profile, dice: random.Random, *, references: int, size: str
) -> Flaws:
    """Throw the dice for one picture."""
    rate = profile.misspelt_word * profile.size_factor.get(size, 1.0)
    drawn: list[str] = []
    found: list[Flaw] = []
    for place, label in enumerate(labels):
        if place and dice.random() < profile.dropped_label:
            found.append(Flaw(kind="dropped_label", wanted=label, drawn=""))
            continue
        written = " ".join(_misspelt(word, dice) if dice.random() < rate else word for word in label.split())
        if written != " ".join(label.split()):
            found.append(Flaw(kind="misspelt_word", wanted=label, drawn=written))
        drawn.append(written)
    shifted = dice.random() < profile.shifted_colour + profile.per_reference * references
    wrong = dice.random() < profile.wrong_subject
    if shifted:
        found.append(Flaw(kind="shifted_colour", wanted="colours as asked", drawn="hues turned by a third"))
    if wrong:
        found.append(Flaw(kind="wrong_subject", wanted="subject as asked", drawn="another subject"))
    # Not by chance: the face of the studio has Latin letters only.
    for place, written in enumerate(drawn):
        drawn[place] = settable(written)
        if lacks(written):
            found.append(Flaw(kind="missing_letter", wanted=written, drawn=drawn[place]))
    return Flaws(labels=tuple(drawn), colours_shifted=shifted, wrong_subject=wrong, found=tuple(found))


def _misspelt(word: str, dice: random.Random) -> str:
    """Return the word with one slip: two letters swapped, one doubled, or one lost."""
    if len(word) < 3:
        return word + word[-1]
    place = dice.randrange(1, len(word) - 1)
    swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    doubled = word[:place] + word[place] + word[place:]
    lost = word[:place] + word[place + 1 :]
    slips = [slip for slip in (swapped, doubled, lost) if slip != word]
    return dice.choice(slips)


def _profile(row: Mapping[str, Any]) -> Profile:
    return Profile(
        misspelt_word=row["misspelt_word"],
        dropped_label=row["dropped_label"],
        shifted_colour=row["shifted_colour"],
        per_reference=row.get("per_reference", 0.0),
        wrong_subject=row["wrong_subject"],
        jpeg=row.get("jpeg", 0.0),
        size_factor=row.get("size", {}),
        thinking={level: (band[0], band[1]) for level, band in row.get("thinking", {}).items()},
    )
