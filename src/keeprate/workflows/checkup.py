"""Gathers what the doctor judges: looks at the home, the database and the configuration; mends nothing."""

import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy import func, make_url, select
from sqlalchemy.exc import ArgumentError

from keeprate.catalogue.book import Book, Dying
from keeprate.catalogue.cards import ModelCard
from keeprate.catalogue.names import suggestion
from keeprate.catalogue.pricing import image_price
from keeprate.database.drivers import sqlite_driver
from keeprate.database.engine import open_database
from keeprate.database.locks import refuse_network_disk
from keeprate.database.schema import attempts, brakes
from keeprate.domain.errors import CatalogueError, ConfigError, StorageError
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import ModelId, Surface
from keeprate.safety.disks import room
from keeprate.workflows.doctor import DYING_WITHIN, BrakeHealth, DatabaseHealth, HomeHealth, ModelHealth

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Where a TOML file of ours may name the model to use.
_MODEL_FIELDS = frozenset({"model", "models", "fallback", "fallbacks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """A model id that the configuration mentions, and where."""

    model: ModelId
    place: str


def home_health(home: Path) -> HomeHealth:
    """Return whether `home` can be written, found out by writing; makes no folder."""
    place = _nearest(home)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free = room(place)
    except (OSError, StorageError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else str(fault)
        return HomeHealth(
            path=str(home), exists=home.is_dir(), fault=why or "no reason given", free_bytes=None
        )
    if home.exists() and not home.is_dir():
        return HomeHealth(path=str(home), exists=False, fault="it is a file", free_bytes=free)
    return HomeHealth(path=str(home), exists=home.exists(), fault=None, free_bytes=free)


def database_health(url: str, home: HomeHealth) -> DatabaseHealth:
    """Return what opening the ledger's database says. A database that is not there is not made."""
    try:
        address = make_url(url)
    except ArgumentError:
        return _closed("unknown", ConfigError("database_url is not a database address", field="database_url"))
    if address.get_backend_name() != "sqlite":
        return _opened(url, DatabaseHealth(kind="PostgreSQL", sqlite=None, sqlite_is_safe=True))
    driver = sqlite_driver()
    health = DatabaseHealth(
        kind=f"SQLite ({driver.name})",
        sqlite=".".join(map(str, driver.version)),
        sqlite_is_safe=driver.is_wal_safe,
    )
    file = Path(str(address.database)).absolute()
    if home.fault is not None:
        return health
    try:
        refuse_network_disk(_nearest(file))
    except ConfigError as refusal:
        return _closed(health.kind, refusal)
    return _opened(url, health) if file.is_file() else health


def named_models(documents: Sequence[tuple[str, str]]) -> tuple[NamedModel, ...]:
    """Return every model that configuration files (path, text) tell Keeprate to use.

    Rows of facts (`[[price]]`) speak of models without using them, and are passed over.
    """
    found: list[NamedModel] = []
    for path, text in documents:
        for field, model in _model_fields(tomllib.loads(text)):
            found.append(NamedModel(model=ModelId(model), place=f"{path} ({field})"))
    return tuple(found)


def newest_fact(book: Book) -> date:
    """Return the last day on which somebody read a source of the catalogue."""
    return max(
        fact.seen_on
        for surface in book.surfaces
        for card in book.known(surface, date.max)
        for fact in card.provenance.values()
    )


def models_health(
    book: Book, day: date, surfaces: frozenset[Surface], named: Sequence[NamedModel]
) -> tuple[ModelHealth, ...]:
    """Return the models that are named or dying on `surfaces`, with what their successors cost."""
    places: dict[ModelId, tuple[str, ...]] = {}
    for one in named:
        places[one.model] = (*places.get(one.model, ()), one.place)
    dying = [one for one in book.dying(day, DYING_WITHIN.days) if one.card.surface in surfaces]
    told = {one.card.model for one in dying}
    return (
        *(_dying(book, day, one, places.get(one.card.model, ())) for one in dying),
        *(_named(book, day, surfaces, model, where) for model, where in places.items() if model not in told),
    )


def _nearest(path: Path) -> Path:
    """Return `path`, or the first folder above it that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def _closed(kind: str, error: ConfigError | StorageError) -> DatabaseHealth:
    return DatabaseHealth(
        kind=kind, sqlite=None, sqlite_is_safe=True, fault=error.message, remedy=error.remedy
    )


def _opened(url: str, health: DatabaseHealth) -> DatabaseHealth:
    try:
        with closing(open_database(url)) as database, database.read() as connection:
            latest = connection.execute(select(func.max(attempts.c.created_us))).scalar()
            on = select(brakes.c.workspace_id, brakes.c.reason, brakes.c.simulated)
            pulled = connection.execute(on.where(brakes.c.released_us.is_(None))).all()
    except (ConfigError, StorageError) as error:
        return _closed(health.kind, error)
    at = None if latest is None else _EPOCH + timedelta(microseconds=latest)
    found = tuple(BrakeHealth(workspace=where, reason=why, simulated=fake) for where, why, fake in pulled)
    return replace(health, latest_row_at=at, brakes=found)


def _model_fields(table: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        here = f"{path}.{name}" if path else name
        if name in _MODEL_FIELDS:
            values = cast("Sequence[object]", value) if isinstance(value, list) else (value,)
            yield from ((here, each) for each in values if isinstance(each, str))
        elif isinstance(value, dict):
            yield from _model_fields(cast("Mapping[str, object]", value), here)


def _dying(book: Book, day: date, one: Dying, places: tuple[str, ...]) -> ModelHealth:
    heir = one.successor.card if one.successor is not None else None
    return _with_costs(book, day, one.card, heir, places)


def _named(
    book: Book, day: date, surfaces: frozenset[Surface], model: ModelId, places: tuple[str, ...]
) -> ModelHealth:
    cards = [card for surface in sorted(surfaces) if (card := book.find(surface, model, day)) is not None]
    card = next((card for card in cards if card.lives_on(day)), cards[0] if cards else None)
    if card is None:
        ids = [one for surface in sorted(surfaces) for one in book.model_ids(surface)]
        near = suggestion(model, ids, {})
        return ModelHealth(
            model=model, surface="", named_in=places, known=False, shutdown_on=None, successor=near
        )
    successor = book.successor(card.surface, model, day)
    return _with_costs(book, day, card, successor.card if successor is not None else None, places)


def _with_costs(
    book: Book, day: date, card: ModelCard, heir: ModelCard | None, places: tuple[str, ...]
) -> ModelHealth:
    size = next(
        (size for size in Size if size in card.sizes and heir is not None and size in heir.sizes), None
    )
    return ModelHealth(
        model=card.model,
        surface=card.surface,
        named_in=places,
        known=True,
        shutdown_on=card.shutdown_on,
        successor=None if heir is None else heir.model,
        cost=_image_cost(book, day, card, size),
        successor_cost=None if heir is None else _image_cost(book, day, heir, size),
        size=size,
    )


def _image_cost(book: Book, day: date, card: ModelCard, size: Size | None) -> NanoUSD | None:
    if size is None:
        return None
    try:
        return image_price(book.price_on(card.surface, card.model, day), size=size, lane=Lane.LIVE)
    except CatalogueError:
        return None
