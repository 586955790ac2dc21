"""A call that is passed on as it came, and the little that must be read of it to route, quote and hold.

The words of contents, tools and schemas are never looked at, and no image is decoded: a chat repeats every
picture of its turns. Keys come in camelCase and snake_case side by side, as recorded from google-genai 1.75 to
3.4 on loopback (2026-11); protobuf's JSON takes both at every level.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

import msgspec

from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import ModelId, Surface
from keeprate.workflows.forwarding import Errand
from keeprate.workflows.reply_shapes import ReplyShape

# Longer prompts are kept cut: the ledger remembers what was asked for, not whole documents.
LONGEST_PROMPT: Final = 20_000
_SIZE_NAMES: Final = {
    "FIVE_TWELVE": Size.HALF_K,
    "ONE_K": Size.ONE_K,
    "TWO_K": Size.TWO_K,
    "FOUR_K": Size.FOUR_K,
}
_NUMBERS: Final = {
    "ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5, "EIGHT": 8, "NINE": 9, "SIXTEEN": 16, "TWENTY_ONE": 21,
}  # fmt: skip
_LANES: Final = {"flex": Lane.FLEX, "priority": Lane.PRIORITY}
# What Imagen makes of a call that names no count (https://ai.google.dev/gemini-api/docs/imagen, 2026-06).
IMAGEN_COUNT: Final = 4


class Verb(StrEnum):
    """What is asked of a model."""

    GENERATE = "generateContent"
    STREAM = "streamGenerateContent"
    PREDICT = "predict"
    INTERACT = "interactions"
    BATCH = "batchGenerateContent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A call as it came through a door.

    `model` is the name asked for. `body` is untouched; `body_sha256` was taken while it was read. `errand`
    says where it goes with "{model}" where the model stands. `headers` are those that go along.
    """

    verb: Verb
    surface: Surface
    model: str
    errand: Errand
    body: bytes | memoryview
    body_sha256: str
    headers: Mapping[str, str]
    lane_header: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """The money of many requests that go in one call."""

    low: NanoUSD
    expected: NanoUSD
    worst: NanoUSD


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was read of an envelope. `size` and `ratio` None are left to the model.

    `images` go in with this turn, `earlier_images` with earlier ones; `files` are ids of uploaded files.
    `signatures` are the thought signatures of model turns, `count` how many images the call makes at most.
    `output_limit` is the caller's own bound on output tokens. `text_bytes` is at least what all words take.
    `previous` is the interaction that goes on. `config_name` is how the caller spells the configuration's
    member; `hints` is the `keeprate` object of the body, which must not go along.
    `lot` is the money of a call that asks for many things at once.
    """

    prompt: str
    shape: ReplyShape
    size: str | None = None
    ratio: str | None = None
    thinking: str | None = None
    shows_thoughts: bool = False
    images: int = 0
    earlier_images: int = 0
    continues: bool = False
    files: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    count: int = 1
    output_limit: int | None = None
    seed: int | None = None
    grounding: bool = False
    video: bool = False
    system: bool = False
    lane: Lane | None = None
    text_bytes: int = 0
    previous: str | None = None
    config_name: str | None = None
    hints: Mapping[str, object] | None = None
    lot: Lot | None = None


class _Blob(msgspec.Struct, rename="camel"):
    data: msgspec.Raw = msgspec.Raw()
    mime_type: str | None = None
    snake_mime_type: str | None = msgspec.field(default=None, name="mime_type")
    file_uri: str | None = None
    snake_file_uri: str | None = msgspec.field(default=None, name="file_uri")

    @property
    def is_video(self) -> bool:
        return (self.mime_type or self.snake_mime_type or "").startswith(("video/", "audio/"))

    @property
    def uri(self) -> str | None:
        return self.file_uri or self.snake_file_uri


class _Part(msgspec.Struct, rename="camel"):
    text: msgspec.Raw = msgspec.Raw()
    inline_data: _Blob | None = None
    snake_inline_data: _Blob | None = msgspec.field(default=None, name="inline_data")
    file_data: _Blob | None = None
    snake_file_data: _Blob | None = msgspec.field(default=None, name="file_data")
    thought_signature: str | None = None
    snake_thought_signature: str | None = msgspec.field(default=None, name="thought_signature")

    @property
    def blob(self) -> _Blob | None:
        return self.inline_data or self.snake_inline_data or self.file_data or self.snake_file_data


class _Turn(msgspec.Struct):
    role: str | None = None
    parts: list[_Part] | None = None


class _Image(msgspec.Struct, rename="camel"):
    aspect_ratio: str | None = None
    snake_aspect_ratio: str | None = msgspec.field(default=None, name="aspect_ratio")
    image_size: str | None = None
    snake_image_size: str | None = msgspec.field(default=None, name="image_size")


class _Format(msgspec.Struct):
    image: _Image | None = None


class _Thinking(msgspec.Struct, rename="camel"):
    thinking_level: str | None = None
    snake_thinking_level: str | None = msgspec.field(default=None, name="thinking_level")
    include_thoughts: bool | None = None
    snake_include_thoughts: bool | None = msgspec.field(default=None, name="include_thoughts")


class _Config(msgspec.Struct, rename="camel"):
    image_config: _Image | None = None
    snake_image_config: _Image | None = msgspec.field(default=None, name="image_config")
    response_format: _Format | None = None
    snake_response_format: _Format | None = msgspec.field(default=None, name="response_format")
    thinking_config: _Thinking | None = None
    snake_thinking_config: _Thinking | None = msgspec.field(default=None, name="thinking_config")
    max_output_tokens: int | None = None
    snake_max_output_tokens: int | None = msgspec.field(default=None, name="max_output_tokens")
    candidate_count: int | None = None
    snake_candidate_count: int | None = msgspec.field(default=None, name="candidate_count")
    seed: int | None = None

    @property
    def image(self) -> _Image:
        shaped = self.response_format or self.snake_response_format or _Format()
        return self.image_config or self.snake_image_config or shaped.image or _Image()


class _Content(msgspec.Struct, rename="camel"):
    contents: list[_Turn] | _Turn | None = None
    generation_config: _Config | None = None
    snake_generation_config: _Config | None = msgspec.field(default=None, name="generation_config")
    system_instruction: msgspec.Raw = msgspec.Raw()
    snake_system_instruction: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="system_instruction")
    tools: list[dict[str, msgspec.Raw]] | None = None
    service_tier: str | None = None
    snake_service_tier: str | None = msgspec.field(default=None, name="service_tier")
    keeprate: dict[str, object] | None = None


Shape = TypeVar("Shape")


def read_content(envelope: Envelope) -> Wanted:
    """Return what a generateContent call wants.

    Raises:
        InvalidValue: Not the JSON of such a call, or more candidates than the one that is quoted.
    """
    body = read(envelope.body, _Content)
    config = body.generation_config or body.snake_generation_config or _Config()
    thinking = config.thinking_config or config.snake_thinking_config or _Thinking()
    _only_one(config.candidate_count or config.snake_candidate_count)
    turns = [body.contents] if isinstance(body.contents, _Turn) else body.contents or []
    last = _last_of_caller(turns)
    parts = [(part, index < last) for index, turn in enumerate(turns) for part in turn.parts or ()]
    blobs = [(part.blob, earlier) for part, earlier in parts if part.blob is not None]
    system = len(memoryview(body.system_instruction)) + len(memoryview(body.snake_system_instruction))
    is_events = "alt=sse" in envelope.errand.query.split("&")
    streamed = ReplyShape.EVENTS if is_events else ReplyShape.ARRAY
    return Wanted(
        prompt=_words(turns[last].parts if turns else None),
        shape=streamed if envelope.verb is Verb.STREAM else ReplyShape.CONTENT,
        size=size_named(config.image.image_size or config.image.snake_image_size),
        ratio=ratio_named(config.image.aspect_ratio or config.image.snake_aspect_ratio),
        thinking=level_named(thinking.thinking_level or thinking.snake_thinking_level),
        shows_thoughts=bool(thinking.include_thoughts or thinking.snake_include_thoughts),
        images=sum(1 for blob, earlier in blobs if not earlier and not blob.is_video),
        earlier_images=sum(1 for blob, earlier in blobs if earlier and not blob.is_video),
        continues=any(turn.role == "model" for turn in turns),
        files=tuple(files_in(blob.uri for blob, _ in blobs)),
        signatures=tuple(_signatures(turns)),
        output_limit=config.max_output_tokens or config.snake_max_output_tokens,
        seed=config.seed,
        grounding=any({"googleSearch", "google_search"} & set(tool) for tool in body.tools or ()),
        video=any(blob.is_video for blob, _ in blobs),
        system=system > 0,
        lane=_LANES.get((envelope.lane_header or body.service_tier or body.snake_service_tier or "").lower()),
        text_bytes=system + sum(len(memoryview(part.text)) for part, _ in parts),
        config_name="generation_config" if body.snake_generation_config is not None else None,
        hints=body.keeprate,
    )


class _Instance(msgspec.Struct, rename="camel"):
    prompt: str | None = None
    image: msgspec.Raw = msgspec.Raw()
    reference_images: list[msgspec.Raw] | None = None


class _Parameters(msgspec.Struct, rename="camel"):
    sample_count: int | None = None
    aspect_ratio: str | None = None
    sample_image_size: str | None = None
    image_size: str | None = None


class _Predict(msgspec.Struct):
    instances: list[_Instance] | None = None
    parameters: _Parameters | None = None
    keeprate: dict[str, object] | None = None


def read_predict(envelope: Envelope) -> Wanted:
    """Return what a `:predict` call wants.

    Raises:
        InvalidValue: Not the JSON of such a call.
    """
    body = read(envelope.body, _Predict)
    parameters = body.parameters or _Parameters()
    instances = body.instances or [_Instance()]
    first = instances[0].prompt or ""
    pictures = sum(len(one.reference_images or ()) + (memoryview(one.image).nbytes > 0) for one in instances)
    return Wanted(
        prompt=_shown(first),
        shape=ReplyShape.PREDICT,
        size=size_named(parameters.sample_image_size or parameters.image_size),
        ratio=ratio_named(parameters.aspect_ratio),
        images=pictures,
        count=len(instances) * (IMAGEN_COUNT if parameters.sample_count is None else parameters.sample_count),
        text_bytes=sum(len((one.prompt or "").encode()) for one in instances),
        hints=body.keeprate,
    )


def read(body: bytes | memoryview, shape: type[Shape]) -> Shape:
    """Return `body` as `shape`; what it does not name is passed over.

    Raises:
        InvalidValue: Not JSON, or a member of another kind.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=shape, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise InvalidValue(
            f"the body cannot be read: {fault}", field="body", remedy="send the JSON that the method takes"
        ) from fault


def spliced(body: bytes | memoryview, changes: Mapping[tuple[str, ...], object]) -> bytes:
    """Return `body` with members set by path, or taken out where the value is None. The rest stays byte for byte.

    Raises:
        InvalidValue: Not a JSON object, or what a path leads through is none.
    """
    members = read(body, dict[str, msgspec.Raw])
    for path, value in changes.items():
        name = path[0]
        if len(path) > 1:
            inner = memoryview(members[name]) if name in members else memoryview(b"{}")
            members[name] = msgspec.Raw(spliced(inner, {path[1:]: value}))
        elif value is None:
            members.pop(name, None)
        else:
            members[name] = msgspec.Raw(msgspec.json.encode(value))
    return msgspec.json.encode(members)


def size_named(text: str | None) -> str | None:
    """Return a size as our glossary writes it: "2K" and IMAGE_SIZE_TWO_K are one."""
    if text is None or text.startswith("IMAGE_SIZE_UNSPECIFIED"):
        return None
    named = _SIZE_NAMES.get(text.removeprefix("IMAGE_SIZE_"))
    return text if named is None else str(named)


def ratio_named(text: str | None) -> str | None:
    """Return a ratio as W:H: "16:9" and ASPECT_RATIO_SIXTEEN_BY_NINE are one."""
    if text is None or text in {"", "auto", "ASPECT_RATIO_UNSPECIFIED"}:
        return None
    width, _, height = text.removeprefix("ASPECT_RATIO_").partition("_BY_")
    if width in _NUMBERS and height in _NUMBERS:
        return f"{_NUMBERS[width]}:{_NUMBERS[height]}"
    return text


def level_named(text: str | None) -> str | None:
    """Return a thinking level as our glossary writes it."""
    return None if not text or text.endswith("UNSPECIFIED") else text.lower()


def files_in(uris: Iterator[str | None]) -> Iterator[str]:
    """Yield the ids of uploaded files among addresses, whatever host they name."""
    for uri in uris:
        _, found, file_id = (uri or "").rpartition("/files/")
        if found:
            yield file_id


def model_named(name: str) -> ModelId | None:
    """Return the model asked for, or None where the policy is to choose."""
    bare = name.removeprefix("models/")
    return None if bare in {"", "auto"} else ModelId(bare)


def _only_one(candidates: int | None) -> None:
    if candidates is not None and candidates > 1:
        raise InvalidValue(
            f"candidateCount {candidates} cannot be quoted: image models give one candidate a call",
            field="generationConfig.candidateCount",
            value=candidates,
            remedy="make one call for each image",
        )


def _last_of_caller(turns: Sequence[_Turn]) -> int:
    """Return where the caller's last words begin: behind the model's last turn."""
    after = [index + 1 for index, turn in enumerate(turns) if turn.role == "model"]
    return min(max(after, default=0), max(0, len(turns) - 1))


def _signatures(turns: Sequence[_Turn]) -> Iterator[str]:
    for turn in turns:
        for part in turn.parts or () if turn.role == "model" else ():
            signature = part.thought_signature or part.snake_thought_signature
            if signature:
                yield signature


def _words(parts: Sequence[_Part] | None) -> str:
    for part in reversed(parts or ()):
        raw = memoryview(part.text)
        if raw.nbytes > 2:
            text = read(raw, str) if raw.nbytes <= 4 * LONGEST_PROMPT else ""
            return _shown(text or "(a long text)")
    return _shown("")


def _shown(text: str) -> str:
    return text[:LONGEST_PROMPT] if text.strip() else "(no words)"
