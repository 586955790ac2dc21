"""The whole of the money's logic, pure: commands in order over the books they touch.

One row per attempt moves `intent → sent → {image, text_only, blocked, empty, failed, unknown}`, besides
`intent → freed` and `unknown → settled`. Each move is a compare-and-set: anything else is a Conflict.
A settled row stays as it is, but that a person may set right a charge that was a guess, or their own word.

Money moves between three accounts. A hold moves available → held; closing moves held → spent and the rest
back. A cap is checked when holding and never later: what was bought is booked, whatever it cost, and a
charge above its hold pulls the brake on new holds of that book. Money is booked for the latest moment any
hold of the book had, so a clock that runs backwards neither opens an old window again nor doubles one.

A refused command changes nothing and does not touch its neighbours in the batch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from keeprate.domain.attempts import Attempt, NewAttempt, Settlement
from keeprate.domain.budgets import Budget, Standing
from keeprate.domain.charges import Charge, ChargeBasis
from keeprate.domain.errors import KeeprateError
from keeprate.domain.money import ZERO, NanoUSD
from keeprate.domain.outcomes import AttemptState, Outcome, OutcomeKind
from keeprate.ledger import commands, refusals
from keeprate.ledger.books import (
    BookId,
    Books,
    Brake,
    Changes,
    Entry,
    EntryKind,
    Line,
    Sums,
    WindowId,
    binding,
)
from keeprate.ledger.moments import micros, moment, window_end, window_start

OPEN: Final = frozenset({AttemptState.INTENT, AttemptState.SENT})
MAY_SETTLE: Final = frozenset({AttemptState.SENT, AttemptState.UNKNOWN})
NOTHING: Final = Sums(spent=ZERO, held=ZERO)


def fold(books: Books, batch: Sequence[commands.Command]) -> Changes:
    """Return what `batch` makes of `books`, with one result for each command."""
    return _Fold(books).run(batch)


class _Fold:
    def __init__(self, books: Books) -> None:
        self._books = books
        self._changes = Changes()
        self._corrections = dict(books.corrections)
        # Looked up by exact type: a batch runs through here some thousand times a second.
        self._moves: Mapping[type, Callable[..., Attempt]] = {
            commands.Intend: self._intend,
            commands.Sent: self._sent,
            commands.Free: self._free,
            commands.Settle: self._settle,
            commands.MarkUnknown: self._mark_unknown,
            commands.Reconcile: self._reconcile,
            commands.Adopt: self._adopt,
        }

    def run(self, batch: Sequence[commands.Command]) -> Changes:
        for command in batch:
            try:
                result: Attempt | KeeprateError = self._moves[type(command)](command)
            except KeeprateError as refusal:
                result = refusal
            self._changes.results.append(result)
        return self._changes

    def _intend(self, command: commands.Intend) -> Attempt:
        new = command.new
        existing = self._find(new.id)
        if existing is not None:
            return existing.attempt
        book = BookId(new.key.workspace, new.simulated)
        brake = self._changes.brakes.get(book) or self._books.brakes.get(book)
        if brake is not None:
            raise refusals.spending_stopped(brake)
        booked_us = max(micros(new.created_at), self._latest_us(book))
        budgets = binding(self._books.budgets.get(book, ()), new.api_key)
        for budget in budgets:
            sums = self._sums(_window(budget, booked_us))
            if sums.spent + sums.held + new.hold > budget.limit:
                raise refusals.budget_exceeded(standing(budget, booked_us, sums), new.hold)
        line = Line(attempt=intended(new), booked_us=booked_us)
        self._changes.latest_us[book] = booked_us
        self._changes.created[new.id] = line
        self._book(line, EntryKind.HOLD, micros(new.created_at), held=new.hold, spent=ZERO)
        return line.attempt

    def _sent(self, command: commands.Sent) -> Attempt:
        line = self._line(command.attempt_id)
        attempt = line.attempt
        if attempt.state is not AttemptState.INTENT or attempt.new.owner != command.owner:
            raise refusals.illegal_move(attempt, "sent")
        return self._keep(line, replace(attempt, state=AttemptState.SENT, sent_at=command.at))

    def _free(self, command: commands.Free) -> Attempt:
        line = self._line(command.attempt_id)
        attempt = line.attempt
        if attempt.state not in OPEN or attempt.new.owner != command.owner:
            raise refusals.illegal_move(attempt, "free")
        if command.outcome.kind in {OutcomeKind.UNKNOWN, OutcomeKind.IMAGE}:
            raise refusals.wrong_outcome(attempt, command.outcome, "free")
        never_sent = attempt.state is AttemptState.INTENT
        charge = Charge(
            amount=ZERO,
            basis=ChargeBasis.NOT_SENT,
            usage=None,
            served_model=None,
            lane=attempt.new.lane,
            price_id=None,
        )
        closed = replace(
            attempt,
            state=AttemptState.FREED if never_sent else AttemptState(command.outcome.kind),
            outcome=command.outcome,
            settled_at=command.at,
        )
        return self._close(line, closed, charge)

    def _settle(self, command: commands.Settle) -> Attempt:
        line = self._line(command.attempt_id)
        attempt, end = line.attempt, command.settlement
        if attempt.state not in MAY_SETTLE:
            raise refusals.illegal_move(attempt, "settle")
        if end.outcome.kind is OutcomeKind.UNKNOWN or end.charge.amount < 0:
            raise refusals.wrong_outcome(attempt, end.outcome, "settle")
        return self._close(line, _ended(attempt, end), end.charge)

    def _mark_unknown(self, command: commands.MarkUnknown) -> Attempt:
        line = self._line(command.attempt_id)
        attempt = line.attempt
        if attempt.state is not AttemptState.SENT:
            raise refusals.illegal_move(attempt, "mark_unknown")
        outcome = replace(command.outcome, kind=OutcomeKind.UNKNOWN)
        return self._keep(line, replace(attempt, state=AttemptState.UNKNOWN, outcome=outcome))

    def _reconcile(self, command: commands.Reconcile) -> Attempt:
        line = self._line(command.attempt_id)
        attempt = line.attempt
        if attempt.new.key.workspace != command.workspace:
            raise refusals.no_attempt(command.attempt_id)
        if attempt.charge is not None and _is_a_word(attempt.charge):
            return self._correct(line, attempt.charge, command)
        if attempt.state is not AttemptState.UNKNOWN:
            raise refusals.illegal_move(attempt, "reconcile")
        outcome = attempt.outcome or Outcome(kind=OutcomeKind.FAILED)
        closed = replace(
            attempt,
            state=AttemptState.FAILED,
            outcome=replace(outcome, kind=OutcomeKind.FAILED),
            settled_at=command.at,
            reconciled_by=command.by,
        )
        return self._close(line, closed, _billed(attempt, command.billed))

    def _correct(self, line: Line, guessed: Charge, command: commands.Reconcile) -> Attempt:
        """Set a guess, or what a person said, right. What came of the attempt, and when, stays as it is."""
        amount = ZERO if command.billed is None else command.billed
        charge = replace(guessed, amount=amount, basis=ChargeBasis.RECONCILED, certain=True)
        overrun = NanoUSD(max(0, amount - line.attempt.new.hold))
        at_us = micros(command.at)
        self._book(line, EntryKind.CORRECT, at_us, held=ZERO, spent=NanoUSD(amount - guessed.amount))
        if overrun > line.attempt.overrun:
            nth = self._corrections[line.attempt.id]
            self._pull_brake(line, at_us, overrun, told_by="correction" if nth == 1 else f"correction-{nth}")
        corrected = replace(line.attempt, charge=charge, overrun=overrun, reconciled_by=command.by)
        return self._keep(line, corrected)

    def _adopt(self, command: commands.Adopt) -> Attempt:
        line = self._line(command.attempt_id)
        attempt = line.attempt
        if attempt.state not in OPEN or attempt.new.owner != command.dead:
            raise refusals.illegal_move(attempt, "adopt")
        return self._keep(line, replace(attempt, new=replace(attempt.new, owner=command.owner)))

    def _close(self, line: Line, attempt: Attempt, charge: Charge) -> Attempt:
        overrun = NanoUSD(max(0, charge.amount - line.attempt.held))
        closed = replace(attempt, charge=charge, overrun=overrun, held=ZERO)
        at_us = micros(closed.settled_at or closed.new.created_at)
        self._book(line, EntryKind.CLOSE, at_us, held=NanoUSD(-line.attempt.held), spent=charge.amount)
        if overrun:
            self._pull_brake(line, at_us, overrun, told_by="overrun")
        return self._keep(line, closed)

    def _pull_brake(self, line: Line, at_us: int, overrun: NanoUSD, *, told_by: str) -> None:
        if line.book in self._books.brakes:
            return
        reason = refusals.overrun_reason(line.attempt, overrun)
        brake = Brake(
            id=f"{told_by}-{line.attempt.id}",
            book=line.book,
            reason=reason,
            attempt_id=line.attempt.id,
            raised_us=at_us,
        )
        self._changes.brakes.setdefault(line.book, brake)

    def _book(self, line: Line, kind: EntryKind, at_us: int, *, held: NanoUSD, spent: NanoUSD) -> None:
        entry = Entry(
            line=line, kind=kind, entry_no=_entry_no(kind, line.attempt.id, self._corrections), at_us=at_us,
            available=-held - spent, held=held, spent=spent,
        )  # fmt: skip
        self._changes.entries.append(entry)
        for budget in binding(self._books.budgets.get(line.book, ()), line.attempt.new.api_key):
            window = _window(budget, line.booked_us)
            sums = self._sums(window)
            self._changes.windows[window] = Sums(
                spent=NanoUSD(sums.spent + spent), held=NanoUSD(sums.held + held)
            )

    def _keep(self, line: Line, attempt: Attempt) -> Attempt:
        kept = Line(attempt=attempt, booked_us=line.booked_us)
        # A row made in this very batch is inserted as it ends up.
        if attempt.id in self._changes.created:
            self._changes.created[attempt.id] = kept
        else:
            self._changes.changed[attempt.id] = kept
        return attempt

    def _find(self, attempt_id: str) -> Line | None:
        changes = self._changes
        return (
            changes.created.get(attempt_id)
            or changes.changed.get(attempt_id)
            or self._books.lines.get(attempt_id)
        )

    def _line(self, attempt_id: str) -> Line:
        line = self._find(attempt_id)
        if line is None:
            raise refusals.no_attempt(attempt_id)
        return line

    def _latest_us(self, book: BookId) -> int:
        return self._changes.latest_us.get(book) or self._books.latest_us.get(book, 0)

    def _sums(self, window: WindowId) -> Sums:
        return self._changes.windows.get(window) or self._books.windows.get(window, NOTHING)


def standing(budget: Budget, at_us: int, sums: Sums) -> Standing:
    """Return where the window of `budget` that holds `at_us` stands."""
    starts_us = window_start(budget.window, at_us)
    ends_us = window_end(budget.window, starts_us)
    return Standing(
        budget=budget,
        starts_at=moment(starts_us),
        resets_at=None if budget.window == "total" else moment(ends_us),
        spent=sums.spent,
        held=sums.held,
    )


def _entry_no(kind: EntryKind, attempt_id: str, corrections: dict[str, int]) -> int:
    """Return the number of an attempt's next entry of that kind; a correction is counted."""
    if kind is not EntryKind.CORRECT:
        return 0 if kind is EntryKind.HOLD else 1
    corrections[attempt_id] = corrections.get(attempt_id, 0) + 1
    return 1 + corrections[attempt_id]


def _window(budget: Budget, at_us: int) -> WindowId:
    return WindowId(budget.workspace, budget.id, window_start(budget.window, at_us))


def intended(new: NewAttempt) -> Attempt:
    """Return the row `new` begins as."""
    return Attempt(
        new=new,
        state=AttemptState.INTENT,
        held=new.hold,
        outcome=None,
        charge=None,
        overrun=ZERO,
        sent_at=None,
        settled_at=None,
        reply_sha256=None,
        image_sha256s=(),
        model_version=None,
        response_id=None,
    )


def _is_a_word(charge: Charge) -> bool:
    """Return whether a charge is a guess of ours, or what a person said; neither is the upstream's word."""
    return not charge.certain or charge.basis is ChargeBasis.RECONCILED


def _billed(attempt: Attempt, billed: NanoUSD | None) -> Charge:
    """Return the charge a person read off the bill; None is "not billed"."""
    return Charge(
        amount=ZERO if billed is None else billed,
        basis=ChargeBasis.RECONCILED,
        usage=None,
        served_model=None if billed is None else attempt.new.route.model,
        lane=attempt.new.lane,
        price_id=None if billed is None else attempt.new.price_id,
    )


def _ended(attempt: Attempt, end: Settlement) -> Attempt:
    return replace(
        attempt,
        state=AttemptState(end.outcome.kind),
        outcome=end.outcome,
        settled_at=end.settled_at,
        reply_sha256=end.reply_sha256,
        image_sha256s=end.image_sha256s,
        model_version=end.model_version,
        response_id=end.response_id,
    )
