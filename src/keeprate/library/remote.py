"""The front for programs that reach a gateway over HTTP: the methods of `Keeprate`, on another machine.

`async with RemoteKeeprate(url, key=…) as k: result = await k.generate("a red fox")`; `BlockingRemote` waits.
A refusal raises the same class it would raise here, with its field, remedy and facts.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
import msgspec
import pybase64

from keeprate.domain import errors
from keeprate.domain.errors import KeeprateError, Throttled, TooBusy, Unreachable, UpstreamUnknown
from keeprate.domain.verdicts import VerdictKind
from keeprate.safety.references import local_reference
from keeprate.workflows.options import Options

PLAIN: Final = Options()
# A 4K image with long thinking takes minutes, and an answer that nobody waits for is paid for all the same.
TIMEOUT: Final = aiohttp.ClientTimeout(total=900, sock_connect=5)
# What of `Options` is about this machine's disk, or travels elsewhere than in the body.
_LOCAL: Final = frozenset({"output", "overwrite", "prompt_in_file", "intent", "retry_unknown", "references"})

Told = TypeVar("Told", bound="RemoteValue")
Answer = TypeVar("Answer")


class RemoteValue(msgspec.Struct, frozen=True, kw_only=True):
    """Something the gateway told. Fields that a newer one adds are let be."""


class RemoteImage(RemoteValue, frozen=True, kw_only=True):
    """An image that was bought; `RemoteKeeprate.image(sha256)` returns its bytes."""

    sha256: str
    url: str
    mime: str
    width: int
    height: int
    bytes: int


class RemoteAttempt(RemoteValue, frozen=True, kw_only=True):
    """A row of the ledger. Money is US dollars as exact text."""

    attempt_id: str
    state: str
    outcome: str | None
    raw_reason: str | None
    model: str
    upstream: str
    size: str
    purpose: str
    prompt: str
    held_usd: str
    charge_usd: str | None
    images: tuple[str, ...]
    simulated: bool
    created_at: str
    settled_at: str | None


class RemoteResult(RemoteValue, frozen=True, kw_only=True):
    """A finished purchase."""

    outcome: str
    reason: str
    text: str | None
    charge_usd: str
    held_usd: str
    model: str
    upstream: str
    attempt_id: str | None
    images: tuple[RemoteImage, ...]
    attempts: tuple[RemoteAttempt, ...]
    decision: dict[str, object]
    simulated: bool
    partial: bool
    notices: tuple[str, ...]


class RemoteVerdict(RemoteValue, frozen=True, kw_only=True):
    """A judgement on an image."""

    attempt_id: str
    image: str
    kind: VerdictKind
    reason: str | None
    cleanup_minutes: int


class _Attempts(RemoteValue, frozen=True, kw_only=True):
    attempts: tuple[RemoteAttempt, ...]


class _Problem(RemoteValue, frozen=True, kw_only=True):
    code: str
    detail: str
    field: str | None = None
    value: object = None
    remedy: str | None = None
    facts: dict[str, object] = {}


class RemoteKeeprate:
    """A gateway, reached over HTTP. Nothing is sent twice by itself: what may have been paid is never repeated."""

    def __init__(self, base_url: str, *, key: str | None = None) -> None:
        """Prepare to reach the gateway at `base_url`, as `keeprate serve` prints it (with or without /api)."""
        self._base = base_url.rstrip("/").removesuffix("/api")
        self._headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        self._http = aiohttp.ClientSession(headers=self._headers, timeout=TIMEOUT)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._http is not None:
            await self._http.close()

    async def generate(self, prompt: str, *, options: Options = PLAIN) -> RemoteResult:
        """Buy the images that `options` ask for. `options.intent` makes asking again safe.

        Raises:
            UpstreamUnknown: The connection broke after the request left: it may have been bought.
            KeeprateError: What the gateway refused, as its own class.
        """
        return await self._buy("/api/generate", prompt, options)

    async def edit(self, prompt: str, *, options: Options) -> RemoteResult:
        """Change references, or go on from an attempt; raises as `generate`."""
        return await self._buy("/api/edit", prompt, options)

    async def retry_unknown(self, attempt_id: str) -> RemoteResult:
        """Buy again what an unknown attempt may have bought. Both are booked; raises as `generate`."""
        return _read(await self._send("POST", f"/api/attempts/{attempt_id}/retry"), RemoteResult)

    async def route(self, prompt: str | None = None, *, options: Options = PLAIN) -> Mapping[str, object]:
        """Show what `generate` would do. Spends nothing."""
        body = {**_words(options), "references": len(options.references)}
        if prompt is not None:
            body["prompt"] = prompt
        body.pop("continues", None)
        body.pop("yes", None)
        return msgspec.json.decode(await self._send("POST", "/api/route", body), type=dict[str, object])

    async def attempts(self, *, unknown_only: bool = False, limit: int = 50) -> Sequence[RemoteAttempt]:
        """Return ledger rows that the key may see, newest first."""
        query = f"?limit={limit}&unknown={'true' if unknown_only else 'false'}"
        return _read(await self._send("GET", f"/api/attempts{query}"), _Attempts).attempts

    async def attempt(self, attempt_id: str) -> RemoteAttempt:
        """Return one ledger row; raises NotFound."""
        return _read(await self._send("GET", f"/api/attempts/{attempt_id}"), RemoteAttempt)

    async def image(self, sha256: str) -> bytes:
        """Return the untouched bytes of an image; raises NotFound."""
        return await self._send("GET", f"/api/images/{sha256}")

    async def verdict(
        self, attempt_id: str, kind: VerdictKind, *, reason: str | None = None, cleanup_minutes: int = 0
    ) -> RemoteVerdict:
        """Accept or reject the first image of an attempt."""
        body = {"kind": str(kind), "reason": reason, "cleanup_minutes": cleanup_minutes}
        return _read(await self._send("POST", f"/api/attempts/{attempt_id}/verdicts", body), RemoteVerdict)

    async def _buy(self, path: str, prompt: str, options: Options) -> RemoteResult:
        references = [await asyncio.to_thread(_base64, one) for one in options.references]
        body = {**_words(options), "prompt": prompt, "references": references}
        headers = {} if options.intent is None else {"idempotency-key": options.intent}
        return _read(await self._send("POST", path, body, headers=headers), RemoteResult)

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        if self._http is None:
            raise errors.ConfigError("this client is not open", remedy="use it inside `async with`")
        data = None if body is None else msgspec.json.encode(body)
        fields_sent = {**(headers or {}), **({} if data is None else {"content-type": "application/json"})}
        try:
            async with self._http.request(method, self._base + path, data=data, headers=fields_sent) as reply:
                content = await reply.read()
                if reply.status >= 400:
                    raise _refused(reply.status, content)
                return content
        except aiohttp.ClientConnectorError as fault:
            raise Unreachable(f"{self._base} cannot be reached: {fault}", remedy="is it serving?") from fault
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise UpstreamUnknown(
                f"the connection to {self._base} broke: {type(fault).__name__}",
                remedy="look at `attempts`; asked again with the same intent, nothing is bought twice",
            ) from fault


class BlockingRemote:
    """`with BlockingRemote(url, key=…) as k: k.wait(k.inner.generate("a red fox"))`, for scripts."""

    def __init__(self, base_url: str, *, key: str | None = None) -> None:
        """Prepare, as `RemoteKeeprate` does."""
        self.inner = RemoteKeeprate(base_url, key=key)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        """Open the connection pool."""
        self.wait(self.inner.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.wait(self.inner.__aexit__(kind, error, trace))
        self._runner.close()

    def wait(self, work: Coroutine[object, object, Answer]) -> Answer:
        """Return what `work` returns."""
        return self._runner.run(work)

    def generate(self, prompt: str, *, options: Options = PLAIN) -> RemoteResult:
        """Buy the images that `options` ask for; see `RemoteKeeprate.generate`."""
        return self.wait(self.inner.generate(prompt, options=options))

    def edit(self, prompt: str, *, options: Options) -> RemoteResult:
        """Change references, or go on from an attempt; see `RemoteKeeprate.edit`."""
        return self.wait(self.inner.edit(prompt, options=options))


def _words(options: Options) -> dict[str, object]:
    """Return the fields of `options` that say anything: the gateway's key has defaults for the others."""
    changed = {
        one.name: getattr(options, one.name)
        for one in fields(options)
        if one.name not in _LOCAL and getattr(options, one.name) != getattr(PLAIN, one.name)
    }
    return {name: value.upper() if name == "size" else value for name, value in changed.items()}


def _base64(reference: Path | str | bytes) -> str:
    content = reference if isinstance(reference, bytes) else local_reference(str(reference)).read_bytes()
    return pybase64.b64encode(content).decode()


def _read(content: bytes, kind: type[Told]) -> Told:
    return msgspec.json.decode(content, type=kind)


def _refused(status: int, content: bytes) -> KeeprateError:
    """Return the problem as the class that it is here."""
    try:
        told = msgspec.json.decode(content, type=_Problem)
    except msgspec.DecodeError:
        return errors.UpstreamError(f"the gateway answered {status} and not in its own words")
    wait_s = told.facts.get("retry_after_s")
    kind = _KINDS.get(told.code, errors.UpstreamError)
    if issubclass(kind, TooBusy):
        seconds = float(wait_s) if isinstance(wait_s, int | float) else 1.0
        return kind(told.detail, retry_after_s=seconds, remedy=told.remedy)
    if issubclass(kind, Throttled):
        seconds = float(wait_s) if isinstance(wait_s, int | float) else None
        return kind(told.detail, retry_after_s=seconds, remedy=told.remedy)
    return kind(told.detail, field=told.field, value=told.value, remedy=told.remedy, facts=told.facts)


def _kinds() -> Mapping[str, type[KeeprateError]]:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, KeeprateError)]
    return {kind.code: kind for kind in kinds}


_KINDS: Final = _kinds()
