"""What the workflows need of the world. Adapters fit these shapes; `bootstrap` joins them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from keeprate.domain.charges import Usage
from keeprate.domain.outcomes import FailureClass, Outcome
from keeprate.domain.purposes import Lane
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import ModelId, Route, Upstream


class Clock(Protocol):
    """Tells the time; tests hand in one that stands still or jumps."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Rng(Protocol):
    """Draws what must not be guessed or repeated."""

    def token(self) -> str:
        """Return 128 random bits as 32 hexadecimal digits."""
        ...

    def jitter(self) -> float:
        """Return a number from 0 to 1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A call ready to be sent: what is hashed, shown and put on the wire alike.

    `path` is relative to the upstream's base URL. `body` is the exact JSON text, references and
    all. `added` names fields Keeprate added that the caller did not set.
    """

    upstream: Upstream
    route: Route
    lane: Lane
    path: str
    body: bytes
    timeout_s: int
    added: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Return the hash of what is sent: path and body."""
        return hashlib.sha256(self.path.encode() + b"\n" + self.body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back with status 200, unparsed, and spooled under `sha256` before anything else."""

    body_path: Path
    sha256: str
    content_type: str
    served_tier: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """One image of a reply: decoded bytes, the MIME as declared, and its signature if it has one."""

    content: bytes
    declared_mime: str
    signature: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply understood. `usage` None means the upstream reported none.

    `stated_free` is True where the upstream says it does not charge for this request.
    """

    outcome: Outcome
    images: tuple[ImagePart, ...]
    usage: Usage | None
    model_version: ModelId | None
    response_id: str | None
    served_lane: Lane | None
    stated_free: bool


class SendFailure(Exception):
    """A call that brought no usable 200. `outcome` holds the raw reason; `retry_after_s` its wait.

    `is_final` tells that trying again cannot help (bad request, key, per-day quota, empty prepay).
    """

    def __init__(
        self,
        failure: FailureClass,
        outcome: Outcome,
        *,
        http_status: int | None,
        retry_after_s: float | None,
        is_final: bool,
    ) -> None:
        """Keep what the failure means for money, and what the upstream said."""
        super().__init__(str(outcome))
        self.failure = failure
        self.outcome = outcome
        self.http_status = http_status
        self.retry_after_s = retry_after_s
        self.is_final = is_final


class Spool(Protocol):
    """Keeps raw replies, complete and flushed to disk, until their attempt is settled."""

    def begin(self, attempt_id: str, *, expected_bytes: int = 0) -> "SpoolFile":
        """Return a file to write the reply of `attempt_id` to, with room for `expected_bytes`.

        Raises:
            StorageError: The disk cannot take it.
        """
        ...

    def find(self, attempt_id: str) -> Reply | None:
        """Return the complete reply that an earlier process left for `attempt_id`."""
        ...

    def discard(self, attempt_id: str) -> None:
        """Drop the reply of a settled attempt whose images are stored."""
        ...

    def waiting(self) -> Sequence[str]:
        """Return the attempts that something here belongs to, whole or not."""
        ...

    def salvage(self, attempt_id: str) -> Reply | None:
        """Return what came of a reply nobody could mark whole; only its content tells whether it is."""
        ...

    def sweep(self, before: datetime) -> int:
        """Remove descriptions that dead writers left unfinished before `before`; return how many."""
        ...

    def has_room(self, byte_count: int) -> bool:
        """Return whether the disk can take `byte_count` more with the reserve kept."""
        ...


class SpoolFile(Protocol):
    def write(self, data: bytes) -> None:
        """Append bytes as they come."""
        ...

    def complete(self, *, content_type: str, served_tier: str | None, request_id: str | None) -> Reply:
        """Flush to disk, mark complete (atomically) and return the reply."""
        ...

    def abandon(self) -> None:
        """Keep what came, marked incomplete: it may be all there is of a paid answer."""
        ...


class Provider(Protocol):
    """One upstream of one surface: translates, sends once, understands. Never re-sends by itself."""

    @property
    def upstream(self) -> Upstream:
        """The connection it speaks for."""
        ...

    def outgoing(
        self,
        request: ImageRequest,
        *,
        route: Route,
        lane: Lane,
        images: int,
        max_output_tokens: int | None,
        materials: "Materials",
    ) -> Outgoing:
        """Return the call for `images` images of `request` on `route` (pure)."""
        ...

    async def send(self, call: Outgoing, *, attempt_id: str, into: SpoolFile) -> Reply:
        """Send once and spool the reply.

        Raises:
            SendFailure: Anything but a complete 200; its class says what that means for money.
        """
        ...

    def understand(self, reply: Reply, call_route: Route) -> Answer:
        """Return the typed answer a spooled reply holds. Undecodable bytes are `unknown`."""
        ...

    def contents(self, request: ImageRequest, materials: "Materials") -> bytes:
        """Return the JSON array of turns that `outgoing` sends for `request`, history first."""
        ...

    def model_turn(self, reply: Reply) -> bytes | None:
        """Return the model's turn of a spooled reply, verbatim JSON with its signatures.

        None where the surface knows no conversations, or the model said nothing.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceBytes:
    """A reference as it is sent: cleaned of place and serial numbers, upright."""

    content: bytes
    mime: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Materials:
    """The bytes a request stands for: references in order, and the conversation so far.

    `history_json` is the `contents` array of earlier turns as sent and received, verbatim (with
    signatures), as JSON text; None for a first turn.
    """

    references: tuple[ReferenceBytes, ...] = ()
    history_json: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image in the asset store, known by the hash of its untouched bytes."""

    sha256: str
    mime: str
    extension: str
    width: int
    height: int
    bytes_count: int
    path: Path


class Assets(Protocol):
    """The content-addressed store, per workspace."""

    async def put(self, workspace: str, content: bytes) -> StoredImage:
        """Store untouched bytes and return them known; flushed to disk before this returns.

        Raises:
            UnreadableReference: Not a PNG, JPEG or WebP, or too large to decode safely.
        """
        ...

    async def put_reference(self, workspace: str, content: bytes, *, field: str) -> StoredImage:
        """Store a reference cleaned of EXIF place and serials, with its orientation applied.

        Raises:
            UnreadableReference: As `put`; `field` names where it came from.
        """
        ...

    async def read(self, workspace: str, sha256: str) -> bytes:
        """Return the bytes.

        Raises:
            NotFound: No such image in this workspace.
        """
        ...

    def find(self, workspace: str, sha256: str) -> StoredImage | None:
        """Return what is stored under `sha256`, or None."""
        ...

    def sweep(self, before: datetime) -> int:
        """Remove drafts that dead writers left before `before`; return how many."""
        ...


class Turns(Protocol):
    """What models said, kept so that a conversation can go on: JSON without the image bytes."""

    async def save(self, workspace: str, attempt_id: str, turn: bytes) -> None:
        """Keep the model's turn of an attempt."""
        ...

    async def load(self, workspace: str, attempt_id: str) -> bytes | None:
        """Return the kept turn, or None."""
        ...
