"""Stories of images, for tests of kept files."""

from datetime import UTC, datetime

from keeprate.domain.provenance import Provenance, ProvenanceVerdict
from keeprate.workflows.ports import StoredImage

NOON = datetime(2026, 4, 15, 12, 0, tzinfo=UTC)


def story_of(image: StoredImage, **changed: object) -> Provenance:
    facts: dict[str, object] = {
        "attempt_id": "0f" * 16,
        "workspace": "default",
        "image_sha256": image.sha256,
        "mime": image.mime,
        "width": image.width,
        "height": image.height,
        "prompt": "A poster that says 'GRAND OPENING' in red",
        "prompt_sha256": "cd" * 32,
        "purpose": "text_board",
        "model": "gemini-3-pro-image",
        "served_model": "gemini-3-pro-image",
        "route": "emulator/gemini-3-pro-image@2K",
        "upstream": "emulator",
        "surface": "gemini-api",
        "size": "2K",
        "lane": "live",
        "price_id": "gemini-api/gemini-3-pro-image/2026-01-01",
        "quote_low_usd": "0.134",
        "quote_expected_usd": "0.14",
        "quote_worst_usd": "0.2",
        "charge_usd": "0.134",
        "charge_basis": "usage",
        "outcome": "image",
        "simulated": True,
        "created_at": NOON,
        "settled_at": NOON,
        "references": ("ef" * 32,),
        "verdicts": (
            ProvenanceVerdict(kind="accepted", reason=None, cleanup_minutes=3, judge="me", judged_at=NOON),
        ),
    }
    return Provenance(**{**facts, **changed})
