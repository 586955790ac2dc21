"""What a generateContent request asks for, read from its JSON into one value."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from keeprate_emulator import signatures
from keeprate_emulator.models import Surface
from keeprate_emulator.refusals import invalid
from keeprate_emulator.wire import Node

_BODY = {
    "contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig", "cachedContent",
    "model",
}  # fmt: skip
_CONFIG = {
    "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "responseModalities",
    "thinkingConfig", "imageConfig", "responseFormat", "mediaResolution", "responseMimeType", "responseSchema",
    "responseJsonSchema", "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs", "speechConfig",
}  # fmt: skip
_IMAGE = {"aspectRatio", "imageSize"}
_VERTEX_BODY = {"labels", "modelArmorConfig"}
_VERTEX_CONFIG = {"routingConfig", "modelSelectionConfig", "audioTimestamp"}
_VERTEX_IMAGE = {
    "personGeneration", "prominentPeople", "outputMimeType", "outputCompressionQuality", "imageOutputOptions",
}  # fmt: skip
_PART = {
    "text", "thought", "thoughtSignature", "inlineData", "fileData", "mediaResolution", "videoMetadata",
    "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "partMetadata",
}  # fmt: skip
# Newer clients write enum names in the newer `responseFormat` field.
_SIZE_NAMES = {
    "IMAGE_SIZE_FIVE_TWELVE": "512", "IMAGE_SIZE_ONE_K": "1K", "IMAGE_SIZE_TWO_K": "2K", "IMAGE_SIZE_FOUR_K": "4K",
}  # fmt: skip

_NUMBERS = {
    "ONE": "1", "TWO": "2", "THREE": "3", "FOUR": "4", "FIVE": "5", "EIGHT": "8", "NINE": "9", "SIXTEEN": "16",
    "TWENTY_ONE": "21",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file beside the words. `content` is empty where only its address came (Cloud Storage, a video page)."""

    content: bytes
    mime: str
    by_model: bool

    @property
    def kind(self) -> str:
        """Modality in the words of usage metadata: IMAGE, VIDEO, AUDIO or DOCUMENT."""
        family = self.mime.partition("/")[0]
        return {"image": "IMAGE", "video": "VIDEO", "audio": "AUDIO"}.get(family, "DOCUMENT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One content: who spoke, the words, the files."""

    by_model: bool
    text: str
    attachments: tuple[Attachment, ...]
    unsigned_image: int | None
    forged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request for a picture. Empty texts mean: not said."""

    turns: tuple[Turn, ...]
    system: str
    ratio: str
    size: str
    mime: str
    quality: int
    modalities: frozenset[str]
    thinking_level: str
    thinking_named: bool
    include_thoughts: bool
    max_output_tokens: int | None
    candidates: int
    sampling_named: tuple[str, ...]
    tools: frozenset[str]
    structured: bool
    tier: str

    @property
    def prompt(self) -> str:
        """The words of the last turn."""
        return self.turns[-1].text if self.turns else ""

    @property
    def words(self) -> str:
        """Every word that is read: system instruction and all turns."""
        return "\n".join([self.system, *(turn.text for turn in self.turns)]).strip()

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Every file of the conversation, in order."""
        return tuple(attachment for turn in self.turns for attachment in turn.attachments)

    @property
    def references(self) -> tuple[Attachment, ...]:
        """The pictures of the last turn."""
        last = self.turns[-1].attachments if self.turns else ()
        return tuple(attachment for attachment in last if attachment.kind == "IMAGE")

    @property
    def edited(self) -> tuple[Attachment, ...]:
        """The pictures a drawing starts from: those of the last turn, else the latest of the conversation."""
        pictures = tuple(attachment for attachment in self.attachments if attachment.kind == "IMAGE")
        return self.references or pictures[-1:]


FileLookup = Callable[[str], tuple[bytes, str]]


def ask_from(body: Node, surface: Surface, stored_file: FileLookup) -> Ask:
    """Read a generateContent body.

    Raises:
        Refusal: 400 for what the API cannot read, with the API's words.
    """
    vertex = surface == "vertex"
    body.only(_BODY | (_VERTEX_BODY if vertex else {"serviceTier"}))
    config = body.child("generationConfig")
    config.only(_CONFIG | (_VERTEX_CONFIG if vertex else set()))
    image = config.child("imageConfig")
    image.only(_IMAGE | (_VERTEX_IMAGE if vertex else set()))
    newer = config.child("responseFormat").child("image")
    output = image.child("imageOutputOptions")
    thinking = config.child("thinkingConfig")
    thinking.only({"includeThoughts", "thinkingLevel", "thinkingBudget"})
    contents = body.children("contents")
    if not contents:
        raise invalid("* GenerateContentRequest.contents: contents is not specified")
    size = newer.text("imageSize") or image.text("imageSize")
    return Ask(
        turns=tuple(_turn(content, stored_file) for content in contents),
        system=_turn(body.child("systemInstruction"), stored_file).text,
        ratio=_ratio(newer.text("aspectRatio")) or image.text("aspectRatio"),
        size=_SIZE_NAMES.get(size, size),
        mime=image.text("outputMimeType") or output.text("mimeType"),
        quality=image.number("outputCompressionQuality") or output.number("compressionQuality") or 90,
        modalities=frozenset(word.upper() for word in config.texts("responseModalities")),
        thinking_level=_level(thinking.text("thinkingLevel")),
        thinking_named=thinking.has("thinkingLevel") or thinking.has("thinkingBudget"),
        include_thoughts=thinking.flag("includeThoughts"),
        max_output_tokens=config.number("maxOutputTokens"),
        candidates=config.number("candidateCount") or 1,
        sampling_named=tuple(name for name in ("temperature", "topP", "topK", "seed") if config.has(name)),
        tools=frozenset(name for tool in body.children("tools") for name in tool.members),
        structured=config.has("responseSchema") or config.has("responseJsonSchema"),
        tier=body.text("serviceTier").lower(),
    )


def _ratio(text: str) -> str:
    """Return `16:9` for `ASPECT_RATIO_SIXTEEN_BY_NINE`, anything else as it is."""
    across, by, down = text.removeprefix("ASPECT_RATIO_").partition("_BY_")
    return f"{_NUMBERS.get(across, across)}:{_NUMBERS.get(down, down)}" if by else text


def _level(text: str) -> str:
    level = text.lower().removeprefix("thinking_level_")
    return "" if level == "unspecified" else level


def _turn(content: Node, stored_file: FileLookup) -> Turn:
    content.only({"role", "parts"})
    role = content.text("role")
    if role not in {"", "user", "model", "system", "function"}:
        raise invalid("Please use a valid role: user, model.")
    by_model = role == "model"
    parts = content.children("parts")
    for part in parts:
        part.only(_PART)
    return Turn(
        by_model=by_model,
        text="\n".join(part.text("text") for part in parts if part.has("text") and not part.flag("thought")),
        attachments=tuple(
            _attachment(part, stored_file, by_model=by_model)
            for part in parts
            if part.has("inlineData") or part.has("fileData")
        ),
        unsigned_image=_unsigned_image(parts) if by_model else None,
        forged=any(_forged(part) for part in parts),
    )


def _unsigned_image(parts: tuple[Node, ...]) -> int | None:
    """Return the place, from 1, of the first drawn picture whose signature did not come back."""
    for place, part in enumerate(parts, start=1):
        if part.has("inlineData") and not part.flag("thought") and not part.text("thoughtSignature"):
            return place
    return None


def _forged(part: Node) -> bool:
    return part.has("thoughtSignature") and not signatures.is_ours(part.text("thoughtSignature"))


def _attachment(part: Node, stored_file: FileLookup, *, by_model: bool) -> Attachment:
    inline = part.child("inlineData")
    if inline:
        inline.only({"data", "mimeType", "displayName"})
        return Attachment(content=inline.blob("data"), mime=inline.text("mimeType"), by_model=by_model)
    named = part.child("fileData")
    named.only({"fileUri", "mimeType", "displayName"})
    uri = named.text("fileUri")
    if re.search(r"/files/[^/]+$|^files/[^/]+$", uri):
        content, mime = stored_file(uri.rsplit("/", 1)[-1])
        return Attachment(content=content, mime=named.text("mimeType") or mime, by_model=by_model)
    if uri.startswith("gs://") or "youtube.com/" in uri or "youtu.be/" in uri:
        return Attachment(content=b"", mime=named.text("mimeType") or "video/mp4", by_model=by_model)
    raise invalid(f"Cannot fetch content from the provided URL: {uri}")
