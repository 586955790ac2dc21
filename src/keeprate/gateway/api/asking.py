"""How an endpoint learns who asks."""

from typing import Annotated, cast

from fastapi import Depends, Request

from keeprate.gateway.doors import CALLER
from keeprate.gateway.identity import Caller


def caller_of(request: Request) -> Caller:
    """Return the caller that the one authenticator let in."""
    return cast("Caller", request.scope[CALLER])


Asks = Annotated[Caller, Depends(caller_of)]
