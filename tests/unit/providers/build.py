"""Small builders for tests of the wire."""

import base64
import json
from typing import Any

from keeprate.catalogue.cards import Transport
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.purposes import Lane, Purpose, Thinking
from keeprate.domain.requests import ImageRequest, Video
from keeprate.domain.routes import GEMINI_API, VERTEX, ModelId, Route, Upstream
from keeprate.providers.google.asking import Ask
from keeprate.providers.shapes import CallShape, SizeField
from keeprate.workflows.ports import Materials, ReferenceBytes

PRO = "gemini-3-pro-image"


def ask(prompt: str = "a red bicycle", model: str = PRO, **given: Any) -> Ask:
    """Return the ask that a sample's `given` describes."""
    history = given.get("history")
    video = given.get("video")
    return Ask(
        request=ImageRequest(
            prompt=prompt,
            purpose=Purpose.DRAFT,
            size=Size(given.get("size", "1K")),
            ratio=Ratio.parse(given["ratio"]) if "ratio" in given else None,
            system=given.get("system"),
            grounding=given.get("grounding", False),
            video=Video(uri=video["uri"], mime=video["mime"]) if video else None,
            seed=given.get("seed"),
        ),
        route=Route(
            upstream="u",
            model=ModelId(model),
            size=Size(given.get("size", "1K")),
            thinking=Thinking(given.get("thinking", "none")),
        ),
        shape=CallShape(
            transport=Transport(given.get("transport", "generateContent")),
            sends_size=given.get("sends_size", True),
            sends_thinking=True,
        ),
        materials=Materials(
            references=tuple(
                ReferenceBytes(content=base64.b64decode(entry["base64"]), mime=entry["mime"])
                for entry in given.get("references", ())
            ),
            history_json=json.dumps(history).encode() if history is not None else None,
        ),
        images=given.get("images", 1),
        size_field=SizeField(given.get("size_field", "imageConfig")),
        max_output_tokens=given.get("max_output_tokens"),
    )


def lane(given: dict[str, Any]) -> Lane:
    return Lane(given.get("lane", "live"))


def upstream(base_url: str = "http://127.0.0.1:9", *, vertex: bool = False, **members: Any) -> Upstream:
    surface = VERTEX if vertex else GEMINI_API
    return Upstream(**{"name": "u", "surface": surface, "base_url": base_url, "simulated": False, **members})
