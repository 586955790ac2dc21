"""Quote, route, generate, edit: what buys, and what only looks."""

from dataclasses import replace
from typing import Annotated

import pybase64
from fastapi import Header, Path, Response

from keeprate.domain.errors import InvalidValue
from keeprate.gateway.api import asked, telling, told
from keeprate.gateway.api.asking import Asks
from keeprate.gateway.desk import Desk
from keeprate.gateway.ends import without_image
from keeprate.gateway.identity import Caller
from keeprate.gateway.marks import marks_of
from keeprate.workflows.generate import generate, retry_unknown
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result
from keeprate.workflows.route import RouteView, route

IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Your name for this purchase: asked again with it, nothing is bought twice.",
    ),
]
AttemptId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
# Fields of a body that `Options` does not take, or takes in another form.
_APART = {"prompt", "user", "references", "budget_used_percent"}


class Buying:
    """The endpoints that decide and buy."""

    def __init__(self, desk: Desk) -> None:
        """Work at `desk`."""
        self._desk = desk

    async def quote(self, body: asked.RouteAsked, caller: Asks) -> told.QuoteAnswer:
        """Say what a request would cost, and on which route. Spends nothing."""
        seen = await self._look(caller, body)
        decision = seen.decision
        document = seen.as_json()
        return told.QuoteAnswer.model_validate(
            {
                "quote": document["quote"],
                "route": str(decision.chosen.route),
                "model": document["model"],
                "upstream": document["upstream"],
                "lane": document["lane"],
                "reason": document["reason"],
                "attempts": document["attempts"],
                "simulated": seen.simulated,
                "options": document["options"],
                "notices": document["notices"],
            }
        )

    async def route(self, body: asked.RouteAsked, caller: Asks) -> told.RouteAnswer:
        """Show the whole decision with every reason, and the call as it would be sent. Spends nothing."""
        return told.RouteAnswer.model_validate((await self._look(caller, body)).as_json())

    async def generate(
        self,
        body: asked.GenerateAsked,
        caller: Asks,
        response: Response,
        idempotency_key: IdempotencyKey = None,
    ) -> told.ResultAnswer:
        """Buy images. What keeps one from being bought, or from coming, is a problem with its reason."""
        return await self._buy(caller, body, idempotency_key, response)

    async def edit(
        self,
        body: asked.EditAsked,
        caller: Asks,
        response: Response,
        idempotency_key: IdempotencyKey = None,
    ) -> told.ResultAnswer:
        """Buy a changed image: of references, or going on from an attempt."""
        if not body.references and body.continues is None:
            raise InvalidValue(
                "an edit needs something to change",
                field="references",
                remedy="send references, or an attempt to continue",
            )
        return await self._buy(caller, body, idempotency_key, response)

    async def retry(self, attempt_id: AttemptId, caller: Asks, response: Response) -> told.ResultAnswer:
        """Buy again what an unknown attempt may have bought. Both are booked."""
        options = self._desk.defaults(caller)
        row = await self._desk.ledger.attempt(caller.scope, attempt_id)
        again = replace(options, model=str(row.new.route.model), size=str(row.new.route.size))
        self._desk.allowed(caller, replace(again, purpose=str(row.new.purpose)))
        return _told(await retry_unknown(self._desk.means, caller.scope, attempt_id, options), response)

    async def _look(self, caller: Caller, body: asked.RouteAsked) -> RouteView:
        options = self._options(caller, body)
        return await route(
            self._desk.means_for(caller, options),
            caller.scope,
            body.prompt,
            options,
            budget_used=body.budget_used_percent,
            reference_count=body.references,
        )

    async def _buy(
        self,
        caller: Caller,
        body: asked.GenerateAsked | asked.EditAsked,
        idempotency_key: str | None,
        response: Response,
    ) -> told.ResultAnswer:
        caller = await self._desk.on_behalf(caller, body.user)
        options = replace(
            self._options(caller, body),
            references=tuple(_decoded(one, place) for place, one in enumerate(body.references, start=1)),
            continues=body.continues,
            intent=None if idempotency_key is None else f"api/{caller.scope.key or ''}/{idempotency_key}",
            yes=body.yes,
        )
        means = self._desk.means_for(caller, options)
        return _told(await generate(means, caller.scope, body.prompt, options), response)

    def _options(self, caller: Caller, body: asked.Looked) -> Options:
        given = {
            name: str(value) if isinstance(value, str) else value
            for name in asked.Looked.model_fields
            if name not in _APART and (value := getattr(body, name)) is not None
        }
        given["roles"] = tuple(str(role) for role in body.roles)
        return self._desk.allowed(caller, replace(self._desk.defaults(caller), **given))


def _told(bought: Result, response: Response) -> told.ResultAnswer:
    if not bought.images:
        raise without_image(bought)
    for name, value in marks_of(bought).headers():
        response.headers[name] = value
    return telling.result(bought)


def _decoded(text: str, place: int) -> bytes:
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError as fault:
        raise InvalidValue(
            f"reference {place} is not base64: {fault}",
            field=f"references.{place - 1}",
            remedy="send the image's bytes as standard base64, without a data: prefix",
        ) from fault
