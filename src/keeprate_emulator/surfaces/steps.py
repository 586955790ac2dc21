"""The steps of an interaction: what was put in, what came out, and the events that tell of it."""

from keeprate_emulator.answers import Reply, token_details
from keeprate_emulator.refusals import invalid
from keeprate_emulator.wire import Node, base64_text, encoded


def contents_of(body: Node) -> list[dict[str, object]]:
    """Return the input as generateContent turns: it may be a text, a list of content, or a list of steps.

    Raises:
        Refusal: 400 for content of an unknown type.
    """
    if isinstance(body.members.get("input"), str):
        return [_turn("user", [{"text": body.text("input")}])]
    entries = body.children("input")
    if not entries:
        raise invalid("input is required.")
    turns: list[dict[str, object]] = []
    loose: list[dict[str, object]] = []
    for entry in entries:
        kind = entry.text("type")
        if kind in {"user_input", "model_output"}:
            parts = [_part(content) for content in entry.children("content")]
            turns.append(_turn("user" if kind == "user_input" else "model", parts))
        elif kind != "thought":
            loose.append(_part(entry))
    return [*turns, _turn("user", loose)] if loose else turns


def format_of(body: Node) -> Node:
    """Return what is said about the picture that is wanted; an empty node when nothing is."""
    for wanted in body.children("responseFormat"):
        if wanted.text("type") in {"", "image"}:
            return wanted
    return Node({})


def answer_of(reply: Reply, *, created: str, updated: str) -> dict[str, object]:
    """Return the interaction as answered."""
    outcome, tokens = reply.outcome, reply.outcome.tokens
    reason = outcome.block_reason or ("" if outcome.finish_reason == "STOP" else outcome.finish_reason)
    answer: dict[str, object] = {
        "id": f"v1_{reply.response_id}",
        "object": "interaction",
        "model": reply.served_model,
        "status": "failed" if reason else "completed",
        "role": "model",
        "created": created,
        "updated": updated,
        "steps": _steps(reply),
    }
    if reason:
        answer["error"] = {"code": reason, "message": outcome.finish_message or f"No picture: {reason}."}
    if reply.with_usage:
        answer["usage"] = {
            "total_input_tokens": tokens.input,
            "total_output_tokens": tokens.candidates,
            "total_thought_tokens": tokens.thoughts,
            "total_cached_tokens": 0,
            "total_tool_use_tokens": 0,
            "total_tokens": tokens.input + tokens.candidates + tokens.thoughts,
            "input_tokens_by_modality": _by_modality(tokens.prompt, tokens.references),
            "output_tokens_by_modality": _by_modality(tokens.text, tokens.image),
        }
    return answer


def events_of(answer: dict[str, object]) -> bytes:
    """Return the answer as server-sent events: a real event stream, unlike that of generateContent."""
    steps = Node(answer).children("steps")
    whole = {name: member for name, member in answer.items() if name != "steps"}
    begun = {name: whole[name] for name in ("id", "object", "model", "role", "created", "updated")}
    events: list[dict[str, object]] = [
        {"event_type": "interaction.created", "interaction": {**begun, "status": "in_progress"}}
    ]
    for index, step in enumerate(steps):
        contents = step.children("content")
        start: dict[str, object] = {"type": step.text("type")}
        events.append({"event_type": "step.start", "index": index, "step": start})
        for content in contents:
            events.append({"event_type": "step.delta", "index": index, "delta": dict(content.members)})
        events.append({"event_type": "step.stop", "index": index})
    events.append({"event_type": "interaction.completed", "interaction": whole})
    lines = (
        b"event: " + str(event["event_type"]).encode() + b"\ndata: " + encoded(event) for event in events
    )
    return b"\n\n".join(lines) + b"\n\nevent: done\ndata: [DONE]\n\n"


def _steps(reply: Reply) -> list[dict[str, object]]:
    contents: list[dict[str, object]] = []
    if reply.outcome.text:
        contents.append({"type": "text", "text": reply.outcome.text})
    for picture in reply.pictures:
        data = base64_text(picture.content)
        contents.append({"type": "image", "mime_type": picture.label, "data": data})
    return [{"type": "model_output", "content": contents}] if contents else []


def _by_modality(text: int, image: int) -> list[dict[str, object]]:
    return [
        {"modality": str(detail["modality"]).lower(), "tokens": detail["tokenCount"]}
        for detail in token_details(text, image)
    ]


def _turn(role: str, parts: list[dict[str, object]]) -> dict[str, object]:
    if role == "model":
        # The server knows its own pictures; nobody echoes a signature here.
        parts = [part | {"thoughtSignature": "skip_thought_signature_validator"} for part in parts]
    return {"role": role, "parts": parts}


def _part(content: Node) -> dict[str, object]:
    kind = content.text("type")
    if kind == "text":
        return {"text": content.text("text")}
    if kind in {"image", "video", "document", "audio"}:
        if content.has("uri"):
            return {"fileData": {"fileUri": content.text("uri"), "mimeType": content.text("mimeType")}}
        return {"inlineData": {"data": content.text("data"), "mimeType": content.text("mimeType")}}
    raise invalid(f"Unsupported content type: {kind!r}.")
