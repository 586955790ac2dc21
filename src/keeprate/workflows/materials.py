"""The bytes a request stands for: references cleaned and stored, conversations put together."""

import asyncio
from pathlib import Path

import msgspec

from keeprate.domain.attempts import Attempt
from keeprate.domain.errors import InvalidValue, UnreadableReference
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.requests import ImageRequest, Reference
from keeprate.domain.scopes import Scope
from keeprate.safety.references import local_reference
from keeprate.workflows.conversation import hashes_in, unfolded
from keeprate.workflows.means import Means
from keeprate.workflows.options import Options, roles_for
from keeprate.workflows.ports import Materials, ReferenceBytes


async def references_of(means: Means, scope: Scope, options: Options) -> tuple[Reference, ...]:
    """Store the references typed and return them known by hash.

    Raises:
        UnreadableReference: One cannot be opened, is no image, or is too large to decode safely.
        InvalidValue: An address, or more roles than references.
    """
    found: list[Reference] = []
    roles = roles_for(options, len(options.references))
    for place, (given, role) in enumerate(zip(options.references, roles, strict=True), start=1):
        content = await asyncio.to_thread(_content, given)
        name = f"reference {place}" if isinstance(given, bytes) else f"reference {str(given)!r}"
        try:
            image = await means.till.assets.put_reference(scope.workspace, content, field=name)
        except UnreadableReference as fault:
            value = f"the bytes of {name}" if isinstance(given, bytes) else str(given)
            raise UnreadableReference(
                fault.message, field="reference", value=value, remedy=fault.remedy
            ) from fault
        found.append(
            Reference(
                sha256=image.sha256,
                mime=image.mime,
                width=image.width,
                height=image.height,
                bytes_count=image.bytes_count,
                role=role,
            )
        )
    return tuple(found)


def _content(given: Path | str | bytes) -> bytes:
    return given if isinstance(given, bytes) else local_reference(str(given)).read_bytes()


async def materials_for(means: Means, scope: Scope, request: ImageRequest) -> Materials:
    """Return the bytes to send for `request`, with the conversation it goes on.

    Raises:
        InvalidValue: The attempt it continues brought no image, or kept no turn.
    """
    read = means.till.assets.read
    references = [
        ReferenceBytes(content=await read(scope.workspace, ref.sha256), mime=ref.mime)
        for ref in request.references
    ]
    history = await _history(means, scope, request.continues) if request.continues else None
    return Materials(references=tuple(references), history_json=history)


async def _history(means: Means, scope: Scope, attempt_id: str) -> bytes:
    row = await means.till.ledger.attempt(scope, attempt_id)
    turn = await means.till.turns.load(scope.workspace, attempt_id)
    provider = means.provider_of(row.new)
    if row.state is not AttemptState.IMAGE or turn is None or provider is None:
        raise InvalidValue(
            _why_not(row),
            field="continue",
            value=attempt_id,
            remedy="continue an attempt that brought an image, on an upstream still configured; "
            "see: keeprate attempts",
        )
    earlier = msgspec.json.decode(row.new.request_json, type=ImageRequest)
    said = provider.contents(earlier, await materials_for(means, scope, earlier))
    images = {sha256: await means.till.assets.read(scope.workspace, sha256) for sha256 in hashes_in(turn)}
    answer = unfolded(turn, images.__getitem__)
    turns = msgspec.json.decode(said, type=list[msgspec.Raw])
    return msgspec.json.encode([*turns, msgspec.Raw(answer)])


def _why_not(row: Attempt) -> str:
    if row.state is not AttemptState.IMAGE:
        return f"attempt {row.id} ended as {row.state}, so there is no image to go on from"
    return f"the conversation of attempt {row.id} was not kept"
