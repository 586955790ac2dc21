"""From what a caller wrote to the id to send: real ids, preview ids, market names, near misses."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final

from keeprate.catalogue.book import Book, Successor
from keeprate.catalogue.cards import ModelCard
from keeprate.catalogue.pricing import image_price
from keeprate.domain.errors import ModelRetired, NoPriceOnDate, UnknownModel
from keeprate.domain.geometry import Size
from keeprate.domain.money import display
from keeprate.domain.purposes import Lane, Thinking
from keeprate.domain.routes import ModelId, Surface

# What SDKs and gateways put before an id; it says nothing about the model.
_PREFIXES: Final = ("models/", "publishers/google/models/", "google/", "gemini/", "vertex_ai/", "vertexai/")
_SEPARATORS: Final = re.compile(r"[\s_\-]+")
_LEAST_LIKENESS: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The model meant and what the caller should know: `notices` are sentences for people."""

    asked: str
    model: ModelId
    card: ModelCard
    notices: tuple[str, ...]


def resolve(book: Book, name: str, surface: Surface, day: date) -> Resolution:
    """Return the living model that `name` means on `surface` on `day`.

    `name` may be an id, a preview id, an alias or a market name in any case and spacing. A preview
    id is kept while it lives and mapped to the released id after; both with a notice.

    Raises:
        UnknownModel: No such model; the remedy suggests a near one.
        ModelRetired: Its day has passed; the message names the successor and what it costs.
    """
    asked = name.strip()
    model = _exact(book, asked, surface) or _by_name(book, asked, surface, day)
    if model is None:
        raise _unknown(book, asked, surface, day)
    stand_in = book.acting_for(surface, model, day)
    card = book.find(surface, model, day)
    if card is not None and card.lives_on(day):
        return Resolution(asked=asked, model=model, card=card, notices=_notices(book, card, day))
    if stand_in is not None and stand_in.card.line == _line(book, surface, model, day) and _same(stand_in):
        return Resolution(
            asked=asked,
            model=stand_in.card.model,
            card=stand_in.card,
            notices=(_mapped(model, card, stand_in.card), *_notices(book, stand_in.card, day)),
        )
    if card is None:
        raise UnknownModel(
            f"{model} was not out on {surface} on {day}",
            field="model",
            value=asked,
            remedy="`keeprate models` lists what was",
        )
    raise _retired(book, card, stand_in, day)


def successor_cost(book: Book, successor: Successor, day: date, size: Size = Size.ONE_K) -> str:
    """Return the successor in words with what an image of it costs, for messages and `doctor`."""
    card = successor.card
    level = "" if successor.thinking in {None, Thinking.NONE} else f" with thinking {successor.thinking}"
    return f"{card.model}{level}{_each(book, card, day, size)}"


def _each(book: Book, card: ModelCard, day: date, size: Size) -> str:
    try:
        price = book.price_on(card.surface, card.model, day)
    except NoPriceOnDate:
        return ""
    at = size if size in card.sizes else card.sizes[0]
    return f" (${display(image_price(price, size=at, lane=Lane.LIVE))} an image at {at})"


def _exact(book: Book, asked: str, surface: Surface) -> ModelId | None:
    bare = _bare(asked).lower()
    return next((model for model in book.model_ids(surface) if model.lower() == bare), None)


def _bare(asked: str) -> str:
    for prefix in _PREFIXES:
        if asked.lower().startswith(prefix):
            return asked[len(prefix) :]
    return asked


def _by_name(book: Book, asked: str, surface: Surface, day: date) -> ModelId | None:
    """Return the model of a market name or alias: one that lives rather than one that does not."""
    wanted = {_plain(asked), _plain(_bare(asked))}
    named = [
        (identity.model, identity.preview_of is None)
        for identity in book.identities(surface)
        if wanted & {_plain(identity.market_name), *(_plain(alias) for alias in identity.aliases)}
    ]
    if not named:
        return None
    return max(named, key=lambda one: (_lives(book, surface, one[0], day), one[1]))[0]


def _lives(book: Book, surface: Surface, model: ModelId, day: date) -> bool:
    card = book.find(surface, model, day)
    return card is not None and card.lives_on(day)


def _plain(name: str) -> str:
    return _SEPARATORS.sub(" ", name).strip().lower()


def _same(stand_in: Successor) -> bool:
    """Return whether only the id changed: no step of the way followed a stated successor."""
    return stand_in.said is None


def _line(book: Book, surface: Surface, model: ModelId, day: date) -> str:
    return next(one.line for one in book.identities(surface) if one.model == model)


def _mapped(asked: ModelId, card: ModelCard | None, stand_in: ModelCard) -> str:
    if card is None:
        return f"{asked} was not out yet; its preview {stand_in.model} is used"
    return f"{asked} was a preview id and ended on {card.shutdown_on}; {stand_in.model} is used"


def _notices(book: Book, card: ModelCard, day: date) -> tuple[str, ...]:
    notices: list[str] = []
    ends = "" if card.shutdown_on is None else f" and ends on {card.shutdown_on}"
    if card.is_preview:
        released = book.find(card.surface, ModelId(card.preview_of or ""), day)
        use = "" if released is None else f"; use {card.preview_of}"
        notices.append(f"{card.model} is a preview id{ends}{use}")
    elif card.deprecated_on is not None and card.deprecated_on <= day:
        heir = book.successor(card.surface, card.model, day)
        use = "" if heir is None else f"; its successor is {successor_cost(book, heir, day)}"
        notices.append(f"{card.model} is deprecated since {card.deprecated_on}{ends}{use}")
    return tuple(notices)


def _retired(book: Book, card: ModelCard, heir: Successor | None, day: date) -> ModelRetired:
    remedy = "no successor is named for it; `keeprate models` lists what lives"
    facts: dict[str, object] = {"retired_on": str(card.shutdown_on), "successor": None}
    if heir is not None:
        remedy = f"use {successor_cost(book, heir, day)}"
        facts |= {
            "successor": heir.card.model,
            "thinking": heir.thinking,
            "source": None if heir.said is None else heir.said.provenance.source,
        }
    was = _each(book, card, day, Size.ONE_K)
    return ModelRetired(
        f"{card.model}{was} was shut down on {card.shutdown_on} on {card.surface}",
        field="model",
        value=card.model,
        remedy=remedy,
        facts=facts,
    )


def _unknown(book: Book, asked: str, surface: Surface, day: date) -> UnknownModel:
    living = [model for model in book.model_ids(surface) if _lives(book, surface, model, day)]
    names = {name: model for name, model in _names(book, surface).items() if model in living}
    # The word "image" dropped leaves no doubt what was meant; who guesses must not send people to the dead.
    near = _undropped(asked, book.model_ids(surface)) or suggestion(asked, living, names)
    elsewhere = [one for one in book.surfaces if one != surface and asked in book.model_ids(one)]
    remedy = "`keeprate models` lists the ids"
    if elsewhere:
        remedy = f"it is on {', '.join(elsewhere)}"
    elif near is not None:
        remedy = f"did you mean {near}?"
        heir = book.acting_for(surface, near, day)
        if near not in living and heir is not None:
            remedy += f" It no longer answers; use {heir.card.model}"
    return UnknownModel(
        f"no model is called {asked!r} on {surface}",
        field="model",
        value=asked,
        remedy=remedy,
        facts={"suggestion": near},
    )


def _names(book: Book, surface: Surface) -> dict[str, ModelId]:
    """Return the market names and aliases; a name that several ids bear belongs to the released one."""
    names: dict[str, ModelId] = {}
    for identity in sorted(book.identities(surface), key=lambda one: one.preview_of is None):
        for name in (identity.market_name, *identity.aliases):
            names[_plain(name)] = identity.model
    return names


def suggestion(asked: str, ids: Iterable[ModelId], names: dict[str, ModelId]) -> ModelId | None:
    """Return the id that was probably meant: first one whose word "image" was dropped, then a near one."""
    known = sorted(ids, key=len)
    dropped = _undropped(asked, known)
    if dropped is not None:
        return dropped
    spelled = {_plain(model): model for model in known} | names
    near = get_close_matches(_plain(_bare(asked)), list(spelled), n=1, cutoff=_LEAST_LIKENESS)
    return spelled[near[0]] if near else None


def _undropped(asked: str, ids: Iterable[ModelId]) -> ModelId | None:
    """Return the id that `asked` is without its word "image"."""
    bare = _without_image(_bare(asked).lower())
    return next((model for model in sorted(ids, key=len) if _without_image(model) == bare), None)


def _without_image(model: str) -> str:
    return model.replace("-image", "")
