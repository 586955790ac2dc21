"""The route record: what to know of an access layer before it is used, and what is still unknown.

The model id is only one field of it: the same model behind another connection may have other prices,
quotas, terms and owners. Nothing is taken over from the official surface for a connection of somebody
else's; its owner fills the record in `keeprate.toml`, and what is missing stays listed as unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from keeprate.catalogue.cards import Provenance
from keeprate.catalogue.origins import PROVENANCE_FIELDS, provenance_of
from keeprate.catalogue.rows import Row
from keeprate.catalogue.statements import RecordSays
from keeprate.domain.routes import ModelId, Surface, Upstream

_OFFICIAL_HOSTS: Final = ("generativelanguage.googleapis.com", "aiplatform.googleapis.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFact:
    """What is known of one field, and from where."""

    says: str
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRecord:
    """Everything to confirm about a connection before production. None: nobody has recorded it yet."""

    upstream: str
    surface: Surface
    models: tuple[ModelId, ...]
    access_layer: RecordedFact | None
    price_unit: RecordedFact | None
    free_tier: RecordedFact | None
    quota: RecordedFact | None
    billing_owner: RecordedFact | None
    response_shape: RecordedFact | None
    data_terms: RecordedFact | None
    safety_terms: RecordedFact | None
    region: RecordedFact | None
    enterprise_controls: RecordedFact | None
    failure_charging: RecordedFact | None
    fallback: RecordedFact | None
    ui_api_parity: RecordedFact | None
    support_path: RecordedFact | None

    @property
    def entries(self) -> tuple[tuple[str, RecordedFact | None], ...]:
        """Return each field with what is known of it, in the order to read them."""
        return tuple((name, getattr(self, name)) for name in RECORD_FIELDS)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the fields that nobody has recorded."""
        return tuple(name for name, known in self.entries if known is None)


RECORD_FIELDS: Final = tuple(
    field.name for field in fields(RouteRecord) if field.name not in {"upstream", "surface", "models"}
)


def records_of(rows: Sequence[Row], *, owner: bool) -> tuple[RecordSays, ...]:
    """Return what `[[record]]` rows say, one statement per field.

    Raises:
        CatalogueError: A field nobody knows, or a row of neither a surface nor an upstream.
    """
    return tuple(said for row in rows for said in _fields_of(row, owner=owner))


def _fields_of(row: Row, *, owner: bool) -> Iterable[RecordSays]:
    row.allow(PROVENANCE_FIELDS | {"surface", "upstream", *RECORD_FIELDS})
    if not (row.has("surface") or row.has("upstream")):
        raise row.fault("upstream", "is missing: a record is of an upstream (or of a surface)")
    provenance = provenance_of(row, owner=owner)
    return tuple(
        RecordSays(
            surface=Surface(row.text("surface")) if row.has("surface") else None,
            upstream=row.text("upstream") if row.has("upstream") else None,
            field=name,
            says=row.text(name),
            provenance=provenance,
        )
        for name in RECORD_FIELDS
        if row.has(name)
    )


def is_official(upstream: Upstream) -> bool:
    """Return whether the connection is the vendor's own, or the stand-in for it."""
    host = upstream.base_url.partition("://")[2].partition("/")[0].partition(":")[0]
    return upstream.simulated or host.endswith(_OFFICIAL_HOSTS)


def record_of(
    said: Sequence[RecordSays], upstream: Upstream, models: tuple[ModelId, ...], day: date
) -> RouteRecord:
    """Return what is recorded of `upstream` by `day`; its own rows go before those of its surface."""
    known: dict[str, RecordedFact] = {}
    for one in sorted(said, key=lambda one: (one.upstream is not None, one.provenance.valid_from)):
        if one.provenance.taken and one.provenance.valid_from <= day and _speaks_of(one, upstream):
            known[one.field] = RecordedFact(says=one.says, provenance=one.provenance)
    return _record(known, upstream, models)


def _speaks_of(one: RecordSays, upstream: Upstream) -> bool:
    if one.upstream is not None:
        return one.upstream == upstream.name
    return one.surface == upstream.surface and is_official(upstream)


def _record(
    known: Mapping[str, RecordedFact], upstream: Upstream, models: tuple[ModelId, ...]
) -> RouteRecord:
    return RouteRecord(
        upstream=upstream.name,
        surface=upstream.surface,
        models=models,
        access_layer=known.get("access_layer"),
        price_unit=known.get("price_unit"),
        free_tier=known.get("free_tier"),
        quota=known.get("quota"),
        billing_owner=known.get("billing_owner"),
        response_shape=known.get("response_shape"),
        data_terms=known.get("data_terms"),
        safety_terms=known.get("safety_terms"),
        region=known.get("region"),
        enterprise_controls=known.get("enterprise_controls"),
        failure_charging=known.get("failure_charging"),
        fallback=known.get("fallback"),
        ui_api_parity=known.get("ui_api_parity"),
        support_path=known.get("support_path"),
    )
