"""What an image is for, and the few other things a policy may read of a request.

A policy never reads the prompt's wording: over a purpose label it adds almost nothing.
"""

from enum import StrEnum
from typing import TypeVar

from keeprate.domain.errors import InvalidValue


class Purpose(StrEnum):
    DRAFT = "draft"
    PREVIEW = "preview"
    SOCIAL = "social"
    ECONOMY = "economy"
    HERO = "hero"
    FINAL_HERO = "final_hero"
    PRINT = "print"
    PRODUCT = "product"
    CHARACTER_LOCK = "character_lock"
    CONTEXTUAL_EDIT = "contextual_edit"
    TEXT_BOARD = "text_board"
    INFOGRAPHIC = "infographic"


class TextAmount(StrEnum):
    """How much lettering the image must carry."""

    NONE = "none"
    SHORT = "short"
    DENSE = "dense"


class Layout(StrEnum):
    SIMPLE = "simple"
    COMPLEX = "complex"


class Fidelity(StrEnum):
    """How closely the references must be kept."""

    LOOSE = "loose"
    STRICT = "strict"


class Asset(StrEnum):
    DRAFT = "draft"
    FINAL = "final"


class Review(StrEnum):
    """Who looks before it counts: colleagues, or a client and the public."""

    INTERNAL = "internal"
    EXTERNAL = "external"


class ReferenceRole(StrEnum):
    OBJECT = "object"
    CHARACTER = "character"
    STYLE = "style"


class Thinking(StrEnum):
    """How long the model may think. NONE belongs to models that do not think."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    FIXED = "fixed"  # thinks, but takes no level: Pro (catalogue, thinking row)


class Lane(StrEnum):
    """How an image is bought."""

    LIVE = "live"
    FLEX = "flex"
    PRIORITY = "priority"
    BATCH = "batch"


Word = TypeVar("Word", bound=StrEnum)


def word(kind: type[Word], text: str, *, field: str) -> Word:
    """Return the member of `kind` that `text` names.

    Raises:
        InvalidValue: No such member; the remedy lists them all.
    """
    try:
        return kind(text)
    except ValueError:
        raise InvalidValue(
            f"{field} {text!r} is not known",
            field=field,
            value=text,
            remedy="use one of: " + ", ".join(kind),
        ) from None
