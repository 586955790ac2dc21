"""The Gemini API, translated both ways; pure.

Wire source: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/flex-inference
and requests recorded from google-genai 1.75 to 3.4 on loopback, 2026-11.
"""

from keeprate.catalogue.cards import Transport
from keeprate.domain.purposes import Lane
from keeprate.providers.google.asking import Ask, content_body
from keeprate.providers.google.names import path_name, path_of
from keeprate.providers.google.predict import predict_body
from keeprate.providers.shapes import SizeField
from keeprate.workflows.forwarding import Errand

_TIERS = {Lane.FLEX: "flex", Lane.PRIORITY: "priority"}


def path(ask: Ask) -> str:
    """Return the path of the call. Each form of the size field is known to work on one version only."""
    version = "v1" if ask.size_field is SizeField.RESPONSE_FORMAT else "v1beta"
    model = path_name(ask.route.model, field="model")
    return f"/{version}/models/{model}:{ask.shape.transport}"


def address(errand: Errand) -> str:
    """Return the path of a call that is passed on, at the version its caller knows."""
    mount = "/upload" if errand.is_upload else ""
    return f"{mount}/{path_name(errand.version or 'v1beta', field='version')}/{path_of(errand.collection)}"


def body(ask: Ask, lane: Lane) -> bytes:
    """Return the exact JSON text of the call. The standard tier is not named: it is what is served unasked."""
    if ask.shape.transport is Transport.PREDICT:
        return predict_body(ask)
    tier = _TIERS.get(lane)
    return content_body(ask, {} if tier is None else {"serviceTier": tier})
