"""What the April 2026 router text printed, kept beside the facts so that its errors can be shown.

Its rate card is of 2026-04-09. Where it errs is told in docs/explanation/founding-texts.md.
"""

from collections.abc import Mapping
from typing import Final

from keeprate.domain.routes import ModelId

# Columns of the capability matrix, in its order of rows: 1K, 4K, batch, references, text, largest size, context,
# synchronous, SynthID. Keyed by the released id; the text itself used the preview ids of the first two.
MATRIX_AS_PRINTED: Final[Mapping[ModelId, tuple[str, ...]]] = {
    ModelId("gemini-3-pro-image"): (
        "$0.134", "$0.24", "$0.067 / 1K", "Yes — up to 3", "Excellent", "4K", "Gemini 3 Pro", "Yes", "Yes",
    ),
    ModelId("gemini-3.1-flash-image"): (
        "$0.067", "$0.151", "$0.034 / 1K", "No", "Good", "4K", "Gemini 3.1", "Yes", "Yes",
    ),
    ModelId("gemini-2.5-flash-image"): (
        "$0.039", "N/A", "$0.0195", "No", "Fair", "1K", "Gemini 2.5", "Yes", "Yes",
    ),
    ModelId("imagen-4.0-ultra-generate-001"): (
        "$0.06", "$0.06", "$0.03", "No", "Best in family", "4K", "Imagen-native", "Yes", "Yes",
    ),
    ModelId("imagen-4.0-generate-001"): (
        "$0.04", "$0.04", "$0.02", "No", "Excellent", "4K", "Imagen-native", "Yes", "Yes",
    ),
    ModelId("imagen-4.0-fast-generate-001"): (
        "$0.02", "$0.02", "$0.01", "No", "Good", "4K", "Imagen-native", "Yes", "Yes",
    ),
}  # fmt: skip
