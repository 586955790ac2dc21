"""What is read of an interaction: the second dialect of the Gemini API, with keys in snake_case.

Wire source: https://ai.google.dev/gemini-api/docs/interactions and google-genai 1.75 and 3.4 recorded on
loopback, 2026-11.
"""

import msgspec

from keeprate.domain.errors import InvalidValue
from keeprate.domain.purposes import Lane
from keeprate.workflows.envelopes import (
    LONGEST_PROMPT,
    Envelope,
    Wanted,
    files_in,
    level_named,
    ratio_named,
    read,
    size_named,
)
from keeprate.workflows.reply_shapes import ReplyShape

_LANES = {"flex": Lane.FLEX, "priority": Lane.PRIORITY}


class _Said(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    uri: str | None = None


class _Step(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    uri: str | None = None
    content: list[_Said] | None = None

    def said(self) -> list[_Said]:
        return self.content or [_Said(type=self.type, text=self.text, uri=self.uri)]


class _Format(msgspec.Struct):
    type: str | None = None
    aspect_ratio: str | None = None
    image_size: str | None = None


class _Config(msgspec.Struct):
    thinking_level: str | None = None
    max_output_tokens: int | None = None
    seed: int | None = None


class _Interaction(msgspec.Struct):
    model: str | None = None
    input: str | list[_Step] | _Step | None = None
    response_format: list[_Format] | _Format | None = None
    generation_config: _Config | None = None
    previous_interaction_id: str | None = None
    system_instruction: str | None = None
    tools: list[_Said] | None = None
    service_tier: str | None = None
    stream: bool | None = None
    background: bool | None = None
    agent: str | None = None
    keeprate: dict[str, object] | None = None


def model_in(body: bytes | memoryview) -> str:
    """Return the model that an interaction names.

    Raises:
        InvalidValue: Not an interaction, or one of a kind whose price nobody knows beforehand.
    """
    asked = read(body, _Interaction)
    if asked.agent is not None or asked.background:
        field = "agent" if asked.agent is not None else "background"
        raise InvalidValue(
            f"an interaction with {field} cannot be quoted, so it is not passed on",
            field=field,
            value=asked.agent or asked.background,
            remedy="name a model and wait for its answer",
        )
    return asked.model or ""


def read_interaction(envelope: Envelope) -> Wanted:
    """Return what an interaction wants.

    Raises:
        InvalidValue: Not the JSON of one.
    """
    asked = read(envelope.body, _Interaction)
    config = asked.generation_config or _Config()
    said = _said(asked.input)
    formats = asked.response_format or []
    wanted = next(
        (
            one
            for one in ([formats] if isinstance(formats, _Format) else formats)
            if one.type in {None, "image"}
        ),
        _Format(),
    )
    texts = [one.text for one in said if one.text]
    kinds = [one.type for one in said]
    return Wanted(
        prompt=(texts[-1] if texts else "(no words)")[:LONGEST_PROMPT],
        shape=ReplyShape.INTERACTION_EVENTS if asked.stream else ReplyShape.INTERACTION,
        size=size_named(wanted.image_size),
        ratio=ratio_named(wanted.aspect_ratio),
        thinking=level_named(config.thinking_level),
        images=kinds.count("image"),
        continues=asked.previous_interaction_id is not None,
        files=tuple(files_in(one.uri for one in said)),
        output_limit=config.max_output_tokens,
        seed=config.seed,
        grounding=any(tool.type == "google_search" for tool in asked.tools or ()),
        video=bool({"video", "audio"} & set(kinds)),
        system=asked.system_instruction is not None,
        lane=_LANES.get((asked.service_tier or "").lower()),
        text_bytes=sum(len(text.encode()) for text in (*texts, asked.system_instruction or "")),
        previous=asked.previous_interaction_id,
        hints=asked.keeprate,
    )


def _said(given: str | list[_Step] | _Step | None) -> list[_Said]:
    if isinstance(given, str):
        return [_Said(type="text", text=given)]
    steps = [given] if isinstance(given, _Step) else given or []
    return [said for step in steps for said in step.said()]
