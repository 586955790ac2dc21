"""The doors of OpenAI's dialect. They are there below `/openai`, too, where a client must say whose `/v1` it means."""

from collections.abc import Iterable

from keeprate.domain.terms import Grant
from keeprate.gateway.desk import Desk
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.doors import Door, Handler
from keeprate.gateway.openai import images, links, models

_ANYBODY = frozenset({Grant.GENERATE, Grant.EDIT})


def doors(desk: Desk) -> Iterable[Door]:
    """Return the doors."""
    signed = links.Links(desk)
    calls, listing = images.Images(desk, signed), models.Models(desk)
    yield _buys("generate", images.GENERATIONS, Grant.GENERATE, calls.generations)
    yield _buys("edit", images.EDITS, Grant.EDIT, calls.edits)
    yield _buys("variation", images.VARIATIONS, Grant.EDIT, calls.variations)
    yield _reads("models.list", "/v1/models", listing.listed)
    yield _reads("models.get", "/v1/models/{model}", listing.one)
    # A browser that shows a picture sends no key: the signature in the link stands for one.
    yield Door(
        name="openai.images.file",
        dialect=Dialect.OPENAI,
        method="GET",
        path=links.PATH,
        needs=None,
        serve=signed.serve,
    )


def _buys(name: str, path: str, needs: Grant, serve: Handler) -> Door:
    return Door(
        name=f"openai.images.{name}",
        dialect=Dialect.OPENAI,
        method="POST",
        path=path,
        needs=needs,
        serve=serve,
    )


def _reads(name: str, path: str, serve: Handler) -> Door:
    return Door(
        name=f"openai.{name}",
        dialect=Dialect.OPENAI,
        method="GET",
        path=path,
        needs=Grant.READ,
        also=_ANYBODY,
        serve=serve,
    )
