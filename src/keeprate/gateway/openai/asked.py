"""From a body to what is asked: every field is understood or refused by name, none is dropped."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from keeprate.domain.errors import InvalidValue
from keeprate.gateway.openai.forms import Part, form_sha256
from keeprate.gateway.openai.wire import (
    EDIT_FIELDS,
    GENERATION_FIELDS,
    MOST_REFERENCES,
    REFUSED,
    VARIATION_FIELDS,
    ImagesAsked,
)
from keeprate.workflows.asking import canonical_json

KEEPRATE: Final = "keeprate"
# A variation has no words of its own, and no request goes out without any.
VARIATION: Final = "Draw a variation of this picture: the same subject and style, composed anew."
_FIELD: Final = re.compile(r"\$\.(\w+)")
_HINT: Final = re.compile(r"keeprate\[(\w+)\]\Z")
_OTHERS: Final = ("gpt-image-", "dall-e-", "chatgpt-image-")
_AUTO: Final = "auto"
_OPAQUE: Final = frozenset({None, "auto", "opaque"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a call asks for. `kind` is the word its stream events begin with; `sha256` tells equal bodies."""

    kind: str
    fields: ImagesAsked
    prompt: str
    references: tuple[bytes, ...]
    hints: object
    sha256: str

    @property
    def model(self) -> str | None:
        """Return the model named, None where the policy is to choose: also for names that only OpenAI has."""
        name = self.fields.model
        if name is None or name.strip().lower() in {_AUTO, ""}:
            return None
        return None if name.strip().lower().startswith(_OTHERS) else name

    @property
    def count(self) -> int:
        """Return how many images are wanted."""
        return self.fields.n or 1

    @property
    def streams(self) -> bool:
        """Return whether the answer is to be events."""
        return self.fields.stream is True

    @property
    def wants_links(self) -> bool:
        """Return whether links are wanted in place of bytes."""
        return self.fields.response_format == "url"

    @property
    def user(self) -> str | None:
        """Return the end user, by whichever name the client gives them."""
        return self.fields.safety_identifier or self.fields.user or None


def generation(body: bytes) -> Asked:
    """Return what a body of `/v1/images/generations` asks for.

    Raises:
        InvalidValue: A field that is unknown, does not fit, or means nothing here.
    """
    try:
        members = msgspec.json.decode(body)
        sha256 = hashlib.sha256(canonical_json(body)).hexdigest()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise InvalidValue(
            f"the body is no JSON: {fault}", field="body", remedy="send a JSON object"
        ) from fault
    if not isinstance(members, dict):
        raise InvalidValue("the body is no JSON object", field="body", remedy='send {"prompt": "…"}')
    given = cast("dict[str, object]", members)
    hints = given.pop(KEEPRATE, None)
    fields = _fields(given, GENERATION_FIELDS, strict=True)
    return Asked(
        kind="image_generation",
        fields=fields,
        prompt=_prompt(fields),
        references=(),
        hints=hints,
        sha256=sha256,
    )


def edit(parts: Sequence[Part]) -> Asked:
    """Return what a form of `/v1/images/edits` asks for.

    Raises:
        InvalidValue: As `generation`; or no image, too many, or a mask.
    """
    given, images, hints = _sorted_out(parts)
    fields = _fields(given, EDIT_FIELDS, strict=False)
    return Asked(
        kind="image_edit",
        fields=fields,
        prompt=_prompt(fields),
        references=_references(images, most=MOST_REFERENCES),
        hints=hints,
        sha256=form_sha256(parts),
    )


def variation(parts: Sequence[Part]) -> Asked:
    """Return what a form of `/v1/images/variations` asks for.

    Raises:
        InvalidValue: As `edit`.
    """
    given, images, hints = _sorted_out(parts)
    return Asked(
        kind="image_edit",
        fields=_fields(given, VARIATION_FIELDS, strict=False),
        prompt=VARIATION,
        references=_references(images, most=1),
        hints=hints,
        sha256=form_sha256(parts),
    )


def _sorted_out(parts: Sequence[Part]) -> tuple[dict[str, object], list[bytes], object]:
    given: dict[str, object] = {}
    images: list[bytes] = []
    hints: dict[str, object] = {}
    for part in parts:
        hint = _HINT.match(part.name)
        if part.name in {"image", "image[]"}:
            images.append(part.content)
        elif hint is not None:
            hints[hint[1]] = part.text()
        elif part.name == KEEPRATE:
            hints |= _hints(part)
        elif part.is_file and part.name not in REFUSED:
            raise _unknown(part.name, "send files as image or image[]")
        else:
            _refuse_twice(part.name, given)
            given[part.name] = None if part.is_file else part.text()
    return given, images, hints or None


def _hints(part: Part) -> dict[str, object]:
    try:
        return msgspec.json.decode(part.content, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise InvalidValue(
            f"keeprate must be a JSON object: {fault}", field=KEEPRATE, remedy='send {"purpose": "hero"}'
        ) from fault


def _refuse_twice(name: str, given: Mapping[str, object]) -> None:
    if name in given:
        raise InvalidValue(f"{name} comes twice", field=name, remedy="send it once")


def _fields(given: Mapping[str, object], known: frozenset[str], *, strict: bool) -> ImagesAsked:
    for name in given:
        if name in REFUSED:
            raise _unknown(name, REFUSED[name])
        if name not in known:
            raise _unknown(name, f"leave it away; this call takes {', '.join(sorted(known))} and keeprate")
    try:
        fields = msgspec.convert(given, ImagesAsked, strict=strict)
    except msgspec.ValidationError as fault:
        raise _misfit(fault, given) from fault
    _refuse_empty_promises(fields)
    return fields


def _refuse_empty_promises(fields: ImagesAsked) -> None:
    """Refuse words that are well formed and ask for what nobody here can do."""
    if fields.background not in _OPAQUE:
        raise InvalidValue(
            f"background {fields.background!r} cannot be had: images here are opaque",
            field="background",
            value=fields.background,
            remedy="leave it away, and cut the subject out afterwards",
        )
    if fields.moderation not in {None, "auto"}:
        raise InvalidValue(
            f"moderation {fields.moderation!r} is not ours to set: the upstream filters as it does",
            field="moderation",
            value=fields.moderation,
            remedy="leave it away",
        )
    if fields.output_compression is not None and fields.output_format not in {"jpeg", "webp"}:
        raise InvalidValue(
            "output_compression needs an output_format that loses something",
            field="output_compression",
            value=fields.output_compression,
            remedy="ask for jpeg or webp with it",
        )
    if fields.stream and fields.response_format == "url":
        raise InvalidValue(
            "a stream carries images, not links",
            field="response_format",
            value="url",
            remedy="leave stream away, or response_format",
        )
    if fields.partial_images is not None and not fields.stream:
        raise InvalidValue(
            "partial_images belongs to a stream",
            field="partial_images",
            value=fields.partial_images,
            remedy="leave it away, or send stream: true",
        )


def _references(images: Sequence[bytes], *, most: int) -> tuple[bytes, ...]:
    if not images:
        raise InvalidValue("an edit needs an image", field="image", remedy="send one as a file named image")
    if len(images) > most:
        raise InvalidValue(
            f"{len(images)} images were sent, and {most} is the most",
            field="image",
            value=len(images),
            remedy="leave some away",
        )
    return tuple(images)


def _prompt(fields: ImagesAsked) -> str:
    if fields.prompt is None:
        raise InvalidValue("prompt is missing", field="prompt", remedy="say what to draw")
    return fields.prompt


def _unknown(name: str, remedy: str) -> InvalidValue:
    return InvalidValue(f"{name} is not served here", field=name, remedy=remedy)


def _misfit(fault: msgspec.ValidationError, given: Mapping[str, object]) -> InvalidValue:
    found = _FIELD.search(str(fault))
    name = None if found is None else found[1]
    return InvalidValue(
        f"a field does not fit: {fault}",
        field=name,
        value=None if name is None else given.get(name),
        remedy="send what the dialect's reference says of it",
    )
