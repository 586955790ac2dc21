"""What an intent bought before: a replay finds its rows and buys nothing that was bought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keeprate.domain.attempts import Attempt
from keeprate.domain.charges import ChargeBasis
from keeprate.domain.errors import Conflict, UnderWay
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.scopes import Scope
from keeprate.workflows.books import Ledger

_NOT_PAID = frozenset({ChargeBasis.NOT_SENT, ChargeBasis.RECONCILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The rows of an intent by slot, each slot's oldest first; none for an intent just drawn."""

    rows: Mapping[int, Sequence[Attempt]] = field(default_factory=dict[int, Sequence[Attempt]])

    @property
    def images(self) -> int:
        """Return how many images the intent has brought."""
        return sum(len(row.image_sha256s) for rows in self.rows.values() for row in rows)

    def of(self, slot: int) -> Sequence[Attempt]:
        """Return the rows of a slot, oldest first."""
        return self.rows.get(slot, ())

    def next_no(self, slot: int, step: int) -> int:
        """Return the first number no try on this step has had."""
        return max(
            (row.new.key.attempt_no + 1 for row in self.of(slot) if row.new.key.step == step), default=0
        )

    def slot_of(self, attempt_id: str | None) -> int | None:
        """Return the slot that the attempt stands in, or None."""
        return next(
            (slot for slot, rows in self.rows.items() if attempt_id in {row.id for row in rows}), None
        )


def name_of(intent: str, slot: int) -> str:
    """Return the name under which the ledger knows a slot of an intent."""
    return f"{intent}#{slot}"


def is_free(row: Attempt) -> bool:
    """Return whether nothing came of an attempt and nothing was paid: the same may be tried again."""
    unpaid = row.charge is None or (row.charge.amount == 0 and row.charge.basis in _NOT_PAID)
    return row.state is AttemptState.FREED or (row.state is AttemptState.FAILED and unpaid)


async def past_of(ledger: Ledger, scope: Scope, intent: str, *, slots: int, request_json: str) -> Past:
    """Return what `intent` bought before in this workspace.

    Raises:
        Conflict: It was used for another request.
    """
    names = {name_of(intent, slot): slot for slot in range(slots)}
    found: dict[int, list[Attempt]] = {}
    for row in await ledger.attempts_of_intents(Scope(workspace=scope.workspace), tuple(names)):
        if row.new.request_json != request_json:
            raise used_otherwise(intent)
        found.setdefault(names[row.new.key.intent], []).append(row)
    return Past(rows=found)


def used_otherwise(intent: str) -> Conflict:
    """Return the refusal of an intent that stands for another request."""
    return Conflict(
        f"intent {intent!r} was used for another request",
        field="intent",
        value=intent,
        remedy="use a new intent for a new request",
    )


def under_way(row: Attempt) -> UnderWay:
    """Return the refusal to buy what another process is buying."""
    return UnderWay(
        f"attempt {row.id} of this intent is under way in another process",
        field="intent",
        value=row.new.key.intent,
        remedy="wait for it, then ask again with the same intent",
    )
