"""The cells of a `[[capability]]` row: a field it does not mention stays None."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from keeprate.catalogue.cards import Provenance
from keeprate.catalogue.rows import Row
from keeprate.catalogue.statements import CapabilitySays, Subject
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.purposes import ReferenceRole, Thinking

Word = TypeVar("Word", Size, Thinking, ReferenceRole)
Value = TypeVar("Value")

CAPABILITY_FIELDS: Final = frozenset({
    "sizes", "sends_size", "ratios", "grid", "max_references", "references_by_role", "max_prompt_tokens",
    "max_output_tokens", "thinking_levels", "default_thinking", "thinking_expected", "thinking_allowance",
    "images_per_call", "accepts_video", "accepts_grounding", "accepts_system", "accepts_seed",
    "accepts_conversation", "signs_thoughts", "text_rendering", "context", "synthid", "c2pa", "output_mimes",
    "timeout_s",
})  # fmt: skip


def capability_of(row: Row, subject: Subject, provenance: Provenance) -> CapabilitySays:
    """Return what the row says a model can do.

    Raises:
        CatalogueError: A cell is not what its field takes.
    """
    return CapabilitySays(
        subject=subject,
        provenance=provenance,
        sizes=_if(row, "sizes", lambda field: row.words(Size, field)),
        sends_size=_if(row, "sends_size", row.truth),
        ratios=_if(row, "ratios", lambda field: _ratios(row, field)),
        grid=_if(row, "grid", row.text),
        max_references=_if(row, "max_references", row.whole),
        references_by_role=_if(row, "references_by_role", lambda field: _counts(row, ReferenceRole, field)),
        max_prompt_tokens=_if(row, "max_prompt_tokens", row.whole),
        max_output_tokens=_if(row, "max_output_tokens", row.whole),
        thinking_levels=_if(row, "thinking_levels", lambda field: row.words(Thinking, field)),
        default_thinking=_if(row, "default_thinking", lambda field: row.word(Thinking, field)),
        thinking_expected=_if(row, "thinking_expected", lambda field: _counts(row, Thinking, field)),
        thinking_allowance=_if(row, "thinking_allowance", lambda field: _counts(row, Thinking, field)),
        images_per_call=_if(row, "images_per_call", row.whole),
        accepts_video=_if(row, "accepts_video", row.truth),
        accepts_grounding=_if(row, "accepts_grounding", row.truth),
        accepts_system=_if(row, "accepts_system", row.truth),
        accepts_seed=_if(row, "accepts_seed", row.truth),
        accepts_conversation=_if(row, "accepts_conversation", row.truth),
        signs_thoughts=_if(row, "signs_thoughts", row.truth),
        text_rendering=_if(row, "text_rendering", row.text),
        context=_if(row, "context", row.text),
        synthid=_if(row, "synthid", row.truth),
        c2pa=_if(row, "c2pa", row.truth),
        output_mimes=_if(row, "output_mimes", row.texts),
        timeout_s=_if(row, "timeout_s", lambda field: _counts(row, Size, field)),
    )


def _if(row: Row, field: str, read: Callable[[str], Value]) -> Value | None:
    return read(field) if row.has(field) else None


def _ratios(row: Row, field: str) -> tuple[Ratio, ...]:
    return tuple(row.known(field, Ratio.parse, item) for item in row.texts(field))


def _counts(row: Row, kind: type[Word], field: str) -> Mapping[Word, int]:
    return {word: inner.whole(name) for word, inner, name in row.by_word(kind, field)}
