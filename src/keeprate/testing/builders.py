"""Small values for tests: an upstream, a request, an offer and an attempt, with what a test is about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from keeprate.domain.attempts import AttemptKey, NewAttempt
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane, Purpose
from keeprate.domain.quotes import Offer, Quote
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import GEMINI_API, ModelId, Route, Upstream

CENT: Final = NanoUSD(10_000_000)
NOON: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)
REQUEST: Final = ImageRequest(prompt="a red fox", purpose=Purpose.ECONOMY)
ROUTE: Final = Route(upstream="scripted", model=ModelId("gemini-3-pro-image"), size=Size.ONE_K)


def upstream(name: str = "scripted", *, simulated: bool = True) -> Upstream:
    """Return a connection that leads nowhere."""
    return Upstream(name=name, surface=GEMINI_API, base_url="http://127.0.0.1:9", simulated=simulated)


def request(prompt: str = "a red fox", purpose: Purpose = Purpose.ECONOMY, variants: int = 1) -> ImageRequest:
    """Return a plain request; use `dataclasses.replace` for the fields a test is about."""
    return replace(REQUEST, prompt=prompt, purpose=purpose, variants=variants)


def offer(route: Route = ROUTE, *, worst: NanoUSD = CENT, images_per_attempt: int = 1) -> Offer:
    """Return an offer whose quote is flat: low, expected and worst are the same."""
    quote = Quote(low=worst, expected=worst, worst=worst, lines=(), price_id="test")
    return Offer(
        route=route, surface=GEMINI_API, lane=Lane.LIVE, quote=quote, images_per_attempt=images_per_attempt
    )


def attempt(
    intent: str, *, owner: str = "me", hold: NanoUSD = CENT, workspace: str = "default"
) -> NewAttempt:
    """Return an attempt as it is written before anything is sent."""
    key = AttemptKey(workspace=workspace, intent=intent, step=0, attempt_no=0)
    return NewAttempt(
        id=key.id,
        key=key,
        api_key=None,
        owner=owner,
        route=ROUTE,
        surface=GEMINI_API,
        lane=Lane.LIVE,
        purpose=Purpose.ECONOMY,
        simulated=True,
        prompt=REQUEST.prompt,
        request_json="{}",
        decision_json="{}",
        payload_sha256="0" * 64,
        quote_low=hold,
        quote_expected=hold,
        hold=hold,
        price_id="test",
        created_at=NOON,
    )
