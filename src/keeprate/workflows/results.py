"""What a purchase comes back as: typed, complete, and showable."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keeprate.domain.attempts import Attempt
from keeprate.domain.decisions import Decision
from keeprate.domain.errors import NoImage
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.outcomes import AttemptState, Outcome, OutcomeKind
from keeprate.domain.requests import ImageRequest
from keeprate.routing.explanations import as_json as decision_as_json
from keeprate.workflows.ports import StoredImage
from keeprate.workflows.remedies import after_failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished request: what came, what it cost, and why it went where it went.

    `charge` is what is booked, `held` what stays reserved for attempts that are `unknown`, both in
    nano-dollars; `charge_usd` is the charge as text.
    `files` are the kept files, in the order of `images`. `notices` are sentences worth reading.
    """

    request: ImageRequest
    decision: Decision
    outcome: Outcome
    images: tuple[StoredImage, ...]
    attempts: tuple[Attempt, ...]
    files: tuple[Path, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def charge(self) -> NanoUSD:
        """Return what all attempts of this request cost."""
        return NanoUSD(sum(row.charge.amount for row in self.attempts if row.charge is not None))

    @property
    def charge_usd(self) -> str:
        """Return `charge` in US dollars, as exact text such as "0.0336"."""
        return display(self.charge)

    @property
    def held(self) -> NanoUSD:
        """Return what stays reserved because nobody knows whether it was billed."""
        return NanoUSD(sum(row.held for row in self.attempts))

    @property
    def simulated(self) -> bool:
        """Return whether a stand-in made this, and no money moved."""
        return any(row.new.simulated for row in self.attempts)

    @property
    def is_partial(self) -> bool:
        """Return whether some, and not all, of the images wanted came."""
        return 0 < len(self.images) < self.request.variants

    def image(self) -> StoredImage:
        """Return the first image.

        Raises:
            NoImage: None came; the error tells outcome and reason.
        """
        if not self.images:
            raise NoImage(
                f"no image came: {self.outcome}",
                field="outcome",
                value=str(self.outcome.kind),
                remedy=remedy_for(self.outcome, self.attempts),
                facts={"outcome": self.outcome, "attempts": self.attempts},
            )
        return self.images[0]

    def _repr_png_(self) -> bytes | None:
        if not self.images or self.images[0].mime != "image/png":
            return None
        return self.images[0].path.read_bytes()

    def _repr_jpeg_(self) -> bytes | None:
        if not self.images or self.images[0].mime != "image/jpeg":
            return None
        return self.images[0].path.read_bytes()

    def as_json(self) -> Mapping[str, object]:
        """Return the result as plain values, as `keeprate generate --json` prints it."""
        decision = decision_as_json(self.decision)
        return {
            "outcome": str(self.outcome.kind),
            "outcome_reason": self.outcome.raw_reason,
            "outcome_message": self.outcome.message,
            "text": self.outcome.text,
            "reason": self.decision.reason,
            "charge_usd": display(self.charge),
            "held_usd": display(self.held),
            "quote": decision["quote"],
            "model": self._model(),
            "surface": str(self.decision.chosen.surface),
            "upstream": self.decision.chosen.route.upstream,
            "attempt_id": None if self._told is None else self._told.id,
            "attempts": [attempt_as_json(row) for row in self.attempts],
            "file": str(self.files[0]) if self.files else None,
            "files": [str(path) for path in self.files],
            "sha256": self.images[0].sha256 if self.images else None,
            "images": [_image_as_json(image) for image in self.images],
            "simulated": self.simulated,
            "notices": list(self.notices),
            "decision": decision,
        }

    @property
    def _told(self) -> Attempt | None:
        """The attempt that brought the first image, else the last one made."""
        first = self.images[0].sha256 if self.images else None
        brought = (row for row in reversed(self.attempts) if first in row.image_sha256s)
        return next(brought, self.attempts[-1] if self.attempts else None)

    def _model(self) -> str:
        return str((self._told.new if self._told else self.decision.chosen).route.model)


def overall(attempts: tuple[Attempt, ...]) -> Outcome:
    """Return the outcome to show for a request: an image if any came, else the gravest other."""
    outcomes = [row.outcome for row in attempts if row.outcome is not None]
    order = (
        OutcomeKind.IMAGE,
        OutcomeKind.UNKNOWN,
        OutcomeKind.BLOCKED,
        OutcomeKind.TEXT_ONLY,
        OutcomeKind.EMPTY,
        OutcomeKind.FAILED,
    )
    for kind in order:
        found = next((outcome for outcome in reversed(outcomes) if outcome.kind is kind), None)
        if found is not None:
            return found
    return Outcome(kind=OutcomeKind.FAILED, raw_reason="NOT_ATTEMPTED")


def remedy_for(outcome: Outcome, attempts: tuple[Attempt, ...]) -> str:
    """Return what to do after `outcome`."""
    attempt = attempts[-1].id if attempts else "ATTEMPT"
    return {
        OutcomeKind.IMAGE: "nothing; it came",
        OutcomeKind.TEXT_ONLY: "say in the prompt that you want a picture, or read what it said",
        OutcomeKind.BLOCKED: "change the wording or the references; the same request is refused again",
        OutcomeKind.EMPTY: "ask again; the model drew nothing",
        OutcomeKind.FAILED: after_failure(outcome),
        OutcomeKind.UNKNOWN: f"look at the bill, then: keeprate reconcile {attempt} --billed or "
        f"--not-billed; or buy again: keeprate generate --retry-unknown {attempt}",
    }[outcome.kind]


def attempt_as_json(row: Attempt) -> Mapping[str, object]:
    """Return a ledger row as plain values."""
    new = row.new
    return {
        "attempt_id": row.id,
        "state": str(row.state),
        "outcome": None if row.outcome is None else str(row.outcome.kind),
        "raw_reason": None if row.outcome is None else row.outcome.raw_reason,
        "message": None if row.outcome is None else row.outcome.message,
        "model": str(new.route.model),
        "served_model": None if row.charge is None else row.charge.served_model,
        "model_version": row.model_version,
        "upstream": new.route.upstream,
        "surface": str(new.surface),
        "size": str(new.route.size),
        "thinking": str(new.route.thinking),
        "lane": str(new.lane),
        "purpose": str(new.purpose),
        "hold_usd": display(new.hold),
        "held_usd": display(row.held),
        "charge_usd": None if row.charge is None else display(row.charge.amount),
        "charge_basis": None if row.charge is None else str(row.charge.basis),
        "charge_certain": None if row.charge is None else row.charge.certain,
        "price_id": new.price_id if row.charge is None else row.charge.price_id,
        "overrun_usd": display(row.overrun),
        "images": list(row.image_sha256s),
        "simulated": new.simulated,
        "intent": new.key.intent,
        "created_at": new.created_at.isoformat(),
        "sent_at": None if row.sent_at is None else row.sent_at.isoformat(),
        "settled_at": None if row.settled_at is None else row.settled_at.isoformat(),
        "prompt": new.prompt,
        "paid_for_nothing": row.state
        not in {AttemptState.IMAGE, AttemptState.UNKNOWN, AttemptState.SENT, AttemptState.INTENT}
        and row.charge is not None
        and row.charge.amount > 0,
    }


def _image_as_json(image: StoredImage) -> Mapping[str, object]:
    return {
        "sha256": image.sha256,
        "mime": image.mime,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes_count,
    }
