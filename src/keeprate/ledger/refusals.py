"""What the ledger says when it refuses, with what to do about it."""

from keeprate.domain.attempts import Attempt
from keeprate.domain.budgets import Standing
from keeprate.domain.errors import BudgetExceeded, Conflict, NotFound, SpendingStopped
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.outcomes import Outcome
from keeprate.ledger.books import Brake


def budget_exceeded(standing: Standing, hold: NanoUSD) -> BudgetExceeded:
    """Return the refusal of a hold that does not fit."""
    budget = standing.budget
    whose = "the workspace" if budget.key is None else f"key {budget.key}"
    resets = None if standing.resets_at is None else standing.resets_at.isoformat()
    wait = "" if resets is None else f", or wait until {resets}"
    return BudgetExceeded(
        f"the cap of ${display(budget.limit)} {budget.window.span} for {whose} has ${display(standing.remaining)} left "
        f"and this may cost ${display(hold)}",
        field="budget",
        value=budget.id,
        remedy=f"raise the cap with `keeprate budget set`, choose a cheaper route{wait}",
        facts={
            "budget": budget.id,
            "limit_usd": display(budget.limit),
            "remaining_usd": display(standing.remaining),
            "wanted_usd": display(hold),
            "resets_at": resets,
        },
    )


def overrun_reason(attempt: Attempt, overrun: NanoUSD) -> str:
    """Return why the brake is on after a charge above its hold."""
    return (
        f"attempt {attempt.id} on {attempt.new.route.model} cost ${display(overrun)} more "
        f"than the ${display(attempt.new.hold)} held for it"
    )


def spending_stopped(brake: Brake) -> SpendingStopped:
    """Return the refusal of any hold while a brake is on."""
    return SpendingStopped(
        f"spending is stopped: {brake.reason}",
        field="budget",
        value=brake.id,
        remedy="look into it, then run `keeprate budget resume`",
        facts={"brake": brake.id, "attempt_id": brake.attempt_id},
    )


def illegal_move(attempt: Attempt, move: str) -> Conflict:
    """Return the refusal of a move the attempt's state or owner does not allow."""
    return Conflict(
        f"attempt {attempt.id} is {attempt.state}: {move} does not apply",
        field="attempt_id",
        value=attempt.id,
        remedy="look at it with `keeprate attempts`; nothing was changed",
        facts={"state": str(attempt.state), "move": move},
    )


def wrong_outcome(attempt: Attempt, outcome: Outcome, move: str) -> Conflict:
    """Return the refusal of an outcome that contradicts the move."""
    return Conflict(
        f"attempt {attempt.id} cannot {move} as {outcome}",
        field="outcome",
        value=str(outcome),
        remedy="use mark_unknown where nobody knows; a charge is never negative; nothing was changed",
    )


def no_attempt(attempt_id: str) -> NotFound:
    """Return that there is no such attempt in the workspace that asks."""
    return NotFound(
        f"no attempt {attempt_id!r}",
        field="attempt_id",
        value=attempt_id,
        remedy="list them with `keeprate attempts`",
    )
