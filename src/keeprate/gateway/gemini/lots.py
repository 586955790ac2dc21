"""A batch as it is handed in: what its requests may cost together, each quoted like a call of its own.

Wire source: https://ai.google.dev/gemini-api/docs/batch-api, read 2026-11.
"""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane
from keeprate.domain.scopes import Scope
from keeprate.workflows.envelopes import Envelope, Lot, Verb, Wanted, read, read_content
from keeprate.workflows.means import Means
from keeprate.workflows.options import Options
from keeprate.workflows.passages import Standing, as_options, passage
from keeprate.workflows.reply_shapes import ReplyShape

_CALM = Standing(used_percent=0, is_capped=False)


class _Row(msgspec.Struct):
    request: msgspec.Raw = msgspec.Raw(b"{}")


class _Rows(msgspec.Struct):
    requests: list[_Row] | None = None


class _Input(msgspec.Struct, rename="camel"):
    requests: _Rows | None = None
    file_name: str | None = None
    snake_file_name: str | None = msgspec.field(default=None, name="file_name")


class _Batch(msgspec.Struct, rename="camel"):
    input_config: _Input | None = None
    snake_input_config: _Input | None = msgspec.field(default=None, name="input_config")


class _Body(msgspec.Struct):
    batch: _Batch | None = None


def requests_in(body: bytes | memoryview) -> Sequence[msgspec.Raw]:
    """Return the requests of a batch.

    Raises:
        InvalidValue: There are none, or they are in a file.
    """
    batch = read(body, _Body).batch or _Batch()
    given = batch.input_config or batch.snake_input_config or _Input()
    if given.file_name or given.snake_file_name:
        raise InvalidValue(
            "the requests of a file cannot be quoted, so this batch is not handed in",
            field="batch.inputConfig.fileName",
            value=given.file_name or given.snake_file_name,
            remedy="send its requests in the call, in batch.inputConfig.requests",
        )
    rows = (given.requests or _Rows()).requests or []
    if not rows:
        raise InvalidValue(
            "the batch has no requests", field="batch.inputConfig.requests", remedy="send some"
        )
    return [row.request for row in rows]


def read_batch(envelope: Envelope) -> Wanted:
    """Return what is wanted of a batch as a whole: the first request speaks for the shape of all."""
    parts = requests_in(envelope.body)
    first = _wanted(envelope, parts[0])
    return replace(
        first, shape=ReplyShape.BATCH, lane=Lane.BATCH, prompt=f"batch of {len(parts)}: {first.prompt}"
    )


async def lot_of(
    means: Means, scope: Scope, envelope: Envelope, parts: Sequence[msgspec.Raw], *, options: Options
) -> Lot:
    """Return what all requests cost together, at the price of the batch lane.

    Raises:
        KeeprateError: One of them cannot be served by the model asked for.
    """
    known: dict[Wanted, Lot] = {}
    lots: list[Lot] = []
    for part in parts:
        wanted = replace(_wanted(envelope, part), prompt="a row of a batch", lane=Lane.BATCH, hints=None)
        if wanted not in known:
            asked = as_options(options, wanted)
            through = await passage(means, scope, envelope, wanted, options=asked, standing=_CALM)
            quote = through.decision.quote
            known[wanted] = Lot(low=quote.low, expected=quote.expected, worst=quote.worst)
        lots.append(known[wanted])
    return Lot(
        low=NanoUSD(sum(lot.low for lot in lots)),
        expected=NanoUSD(sum(lot.expected for lot in lots)),
        worst=NanoUSD(sum(lot.worst for lot in lots)),
    )


def _wanted(envelope: Envelope, part: msgspec.Raw) -> Wanted:
    return read_content(replace(envelope, verb=Verb.GENERATE, body=memoryview(part)))
