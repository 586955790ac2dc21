"""Vertex, translated both ways; pure.

Wire source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference and requests
recorded from google-genai 3.4 on loopback, 2026-11. The lane is a header here, never in the body.
"""

from keeprate.catalogue.cards import Transport
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import Upstream
from keeprate.providers.google.asking import Ask, content_body
from keeprate.providers.google.names import path_name, path_of
from keeprate.providers.google.predict import predict_body
from keeprate.workflows.forwarding import Errand

DEFAULT_LOCATION = "global"
_LANE_HEADER = "X-Vertex-AI-LLM-Shared-Request-Type"
_LANES = {Lane.FLEX: "flex", Lane.PRIORITY: "priority"}


def path(ask: Ask, upstream: Upstream) -> str:
    """Return the path of the call; without a project it is the express one, which a key alone opens."""
    model = path_name(ask.route.model, field="model")
    return _placed(f"publishers/google/models/{model}:{ask.shape.transport}", upstream)


def address(errand: Errand, upstream: Upstream) -> str:
    """Return the path of a call that is passed on. Only models are a publisher's."""
    inner = path_of(errand.collection)
    return _placed(f"publishers/google/{inner}" if inner.startswith("models/") else inner, upstream)


def _placed(tail: str, upstream: Upstream) -> str:
    if upstream.quota_project is None:
        return f"/v1beta1/{tail}"
    project = path_name(upstream.quota_project, field="project")
    location = path_name(upstream.location or DEFAULT_LOCATION, field="location")
    return f"/v1beta1/projects/{project}/locations/{location}/{tail}"


def body(ask: Ask) -> bytes:
    """Return the exact JSON text of the call."""
    if ask.shape.transport is Transport.PREDICT:
        return predict_body(ask)
    return content_body(ask, {})


def lane_headers(lane: Lane) -> dict[str, str]:
    """Return the header that asks for a lane; the standard one is not named."""
    asked = _LANES.get(lane)
    return {} if asked is None else {_LANE_HEADER: asked}
