"""Answers that may be given again to an equal request, where a request or its key asks for that."""

from typing import Final

from keeprate.workflows.asking import Asking
from keeprate.workflows.claim_store import ClaimStore
from keeprate.workflows.kept_answers import Bought, KeptAnswer, packed, unpacked
from keeprate.workflows.ports import Assets, Clock

CACHE_BYTES: Final = 1024 * 1024 * 1024


class ExactCache:
    """The least used answers go first when images and all pass `limit` bytes in a workspace."""

    def __init__(self, store: ClaimStore, assets: Assets, *, clock: Clock, limit: int = CACHE_BYTES) -> None:
        """Keep answers in `store`; their images lie in `assets`."""
        self._store = store
        self._assets = assets
        self._clock = clock
        self._limit = limit

    async def find(self, asking: Asking) -> KeptAnswer | None:
        """Return the answer to an equal request, if it asks for the cache and all its images are there."""
        if asking.cache_key is None:
            return None
        workspace = asking.scope.workspace
        data = await self._store.cached(workspace, asking.cache_key, self._clock.now())
        answer = None if data is None else unpacked(data)
        if answer is None or any(self._assets.find(workspace, image) is None for image in answer.images):
            return None
        return answer

    async def keep(self, asking: Asking, bought: Bought) -> None:
        """Keep an answer that brought images, if its request asks for the cache."""
        answer, workspace = bought.answer, asking.scope.workspace
        useful = bought.settled and answer.status == 200 and answer.images
        if asking.cache_key is None or not useful:
            return
        stored = [self._assets.find(workspace, image) for image in answer.images]
        data = packed(answer)
        size = len(data) + sum(image.bytes_count for image in stored if image is not None)
        now = self._clock.now()
        await self._store.cache(workspace, asking.cache_key, data, size=size, limit=self._limit, at=now)
