"""What a person typed, and how it becomes an ImageRequest: the same words and errors on every door."""

from dataclasses import dataclass
from pathlib import Path

from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.money import usd
from keeprate.domain.purposes import (
    Asset,
    Fidelity,
    Lane,
    Layout,
    Purpose,
    ReferenceRole,
    Review,
    TextAmount,
    Thinking,
    Word,
    word,
)
from keeprate.domain.requests import ImageRequest, Reference, Video

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The fields of a request as typed; None leaves the default to the purpose or the policy.

    `references` are local paths, as text too, or bytes. `failure_cost` is US dollars as text. `deadline` is a span
    such as "30s", "10m", "24h" or "2d". `intent` is the caller's idempotency key;
    `retry_unknown` the unknown attempt of that intent to buy again. `yes` agrees to a
    first real purchase. `partial` buys as many of several images as a cap has room for, where
    otherwise nothing is bought unless all may fit. `prompt_in_file` False keeps the prompt out of the kept file's metadata.
    """

    purpose: str = "economy"
    size: str = "1K"
    ratio: str | None = None
    model: str | None = None
    policy: str | None = None
    upstream: str | None = None
    references: tuple[Path | str | bytes, ...] = ()
    roles: tuple[str, ...] = ()
    variants: int = 1
    text: str | None = None
    layout: str | None = None
    reference_fidelity: str | None = None
    asset: str | None = None
    failure_cost: str | None = None
    review: str | None = None
    deadline: str | None = None
    lane: str | None = None
    video: str | None = None
    grounding: bool = False
    system: str | None = None
    thinking: str | None = None
    continues: str | None = None
    seed: int | None = None
    intent: str | None = None
    retry_unknown: str | None = None
    yes: bool = False
    partial: bool = False
    output: Path | None = None
    overwrite: bool = False
    prompt_in_file: bool = True


def image_request(prompt: str, options: Options, references: tuple[Reference, ...] = ()) -> ImageRequest:
    """Return the request that the typed fields mean.

    Raises:
        InvalidValue: A word that is not of the glossary, or a malformed amount or span.
    """
    return ImageRequest(
        prompt=prompt,
        purpose=word(Purpose, options.purpose, field="purpose"),
        size=word(Size, options.size.upper(), field="size"),
        ratio=Ratio.parse(options.ratio) if options.ratio else None,
        references=references,
        variants=options.variants,
        failure_cost=usd(options.failure_cost, field="failure_cost") if options.failure_cost else None,
        deadline_s=seconds(options.deadline) if options.deadline else None,
        video=Video(uri=options.video) if options.video else None,
        grounding=options.grounding,
        system=options.system,
        thinking=_optional(Thinking, options.thinking, "thinking"),
        continues=options.continues,
        seed=options.seed,
        text=_optional(TextAmount, options.text, "text"),
        layout=_optional(Layout, options.layout, "layout"),
        reference_fidelity=_optional(Fidelity, options.reference_fidelity, "reference_fidelity"),
        asset=_optional(Asset, options.asset, "asset"),
        review=_optional(Review, options.review, "review") or Review.INTERNAL,
    )


def lane_asked(options: Options) -> Lane | None:
    """Return the lane the caller insists on, or None."""
    return _optional(Lane, options.lane, "lane")


def roles_for(options: Options, count: int) -> tuple[ReferenceRole, ...]:
    """Return the roles of `count` references; object where none was given.

    Raises:
        InvalidValue: A role that is none, or more roles than references.
    """
    given = tuple(word(ReferenceRole, role, field="role") for role in options.roles)
    if len(given) > count:
        raise InvalidValue(
            f"{len(given)} roles were given for {count} references",
            field="role",
            value=str(given[count]),
            remedy="give each role a reference to go with, in the same order",
        )
    return given + (ReferenceRole.OBJECT,) * (count - len(given))


def seconds(text: str, *, field: str = "deadline") -> int:
    """Return the seconds that a span such as "90s", "10m", "24h" or "2d" lasts.

    Raises:
        InvalidValue: Not a whole number followed by s, m, h or d.
    """
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _SECONDS:
        raise InvalidValue(
            f"{field} {text!r} is not a span of time",
            field=field,
            value=text,
            remedy="write a number and s, m, h or d, such as 24h",
        )
    return int(number) * _SECONDS[unit]


def _optional(kind: type[Word], text: str | None, field: str) -> Word | None:
    return None if text is None else word(kind, text, field=field)
