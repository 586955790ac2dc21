"""Small builders for tests of the money: an attempt, its ends, a clock that moves when told."""

import hashlib
from datetime import UTC, datetime, timedelta

from keeprate.domain.attempts import AttemptKey, NewAttempt, Settlement
from keeprate.domain.budgets import Budget, Window
from keeprate.domain.charges import Charge, ChargeBasis, Usage
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import Outcome, OutcomeKind
from keeprate.domain.purposes import Lane, Purpose
from keeprate.domain.routes import GEMINI_API, ModelId, Route
from keeprate.domain.scopes import Scope

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCOPE = Scope(workspace="studio")
CENT = 10_000_000


def later(**by: float) -> datetime:
    return NOON + timedelta(**by)


def attempt_id(intent: str, *, workspace: str = "studio", attempt_no: int = 0) -> str:
    return hashlib.sha256(f"{workspace}/{intent}/0/{attempt_no}".encode()).hexdigest()


def new_attempt(intent: str, *, hold: int = 10 * CENT, owner: str = "me", **changes: object) -> NewAttempt:
    """An attempt of `workspace` (default "studio"); `changes` replaces any other field."""
    workspace = str(changes.pop("workspace", "studio"))
    attempt_no = int(str(changes.pop("attempt_no", 0)))
    fields: dict[str, object] = {
        "id": attempt_id(intent, workspace=workspace, attempt_no=attempt_no),
        "key": AttemptKey(workspace=workspace, intent=intent, step=0, attempt_no=attempt_no),
        "api_key": None,
        "owner": owner,
        "route": Route(upstream="gemini", model=ModelId("gemini-3-pro-image"), size=Size("1K")),
        "surface": GEMINI_API,
        "lane": Lane.LIVE,
        "purpose": Purpose.HERO,
        "simulated": False,
        "prompt": "a red boat",
        "request_json": "{}",
        "decision_json": "{}",
        "payload_sha256": "0" * 64,
        "quote_low": NanoUSD(hold // 2),
        "quote_expected": NanoUSD(hold // 2),
        "hold": NanoUSD(hold),
        "price_id": "gemini-api/gemini-3-pro-image/2026-05-28",
        "created_at": NOON,
    }
    return NewAttempt(**(fields | changes))  # type: ignore[arg-type]


def settlement(charge: int, kind: OutcomeKind = OutcomeKind.IMAGE, *images: str) -> Settlement:
    return Settlement(
        outcome=Outcome(kind=kind, raw_reason="STOP"),
        charge=Charge(
            amount=NanoUSD(charge),
            basis=ChargeBasis.USAGE,
            usage=Usage(prompt_text_tokens=9, output_image_tokens=1120, images=1),
            served_model=ModelId("gemini-3-pro-image"),
            lane=Lane.LIVE,
            price_id="gemini-api/gemini-3-pro-image/2026-05-28",
        ),
        reply_sha256="f" * 64,
        image_sha256s=images,
        model_version="gemini-3-pro-image",
        response_id="r-1",
        settled_at=later(seconds=20),
    )


def budget(limit: int, window: Window = Window.DAY, **changes: object) -> Budget:
    fields: dict[str, object] = {
        "id": f"studio-{window}",
        "workspace": "studio",
        "key": None,
        "window": window,
        "limit": NanoUSD(limit),
        "simulated": False,
    }
    return Budget(**(fields | changes))  # type: ignore[arg-type]


def failed(reason: str = "UNAVAILABLE") -> Outcome:
    return Outcome(kind=OutcomeKind.FAILED, raw_reason=reason)


def unknown(reason: str = "DEADLINE") -> Outcome:
    return Outcome(kind=OutcomeKind.UNKNOWN, raw_reason=reason)
