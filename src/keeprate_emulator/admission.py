"""Whether a model takes what is asked of it: the 400s that the real service answers with.

Wording follows public reports where one is known (googleapis, litellm and open-webui issue threads, 2025-11 to
2026-10); elsewhere it is the emulator's own.
"""

from collections.abc import Callable

from keeprate_emulator import pictures
from keeprate_emulator.grids import nearest_ratio
from keeprate_emulator.models import Family, Surface
from keeprate_emulator.refusals import Refusal, invalid
from keeprate_emulator.requests import Ask, Attachment

_SIZES = ("1K", "2K", "4K", "512", "512P", "512PX")
_MODALITIES = frozenset({"TEXT", "IMAGE"})
_INLINE_LIMIT_ON_VERTEX = 7 * 1024 * 1024
_PICTURE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})


def admit(ask: Ask, family: Family, surface: Surface) -> None:
    """Refuse what the model does not take.

    Raises:
        Refusal: 400, the first rule that is broken.
    """
    for rule in _RULES:
        rule(ask, family, surface)


def size_of(ask: Ask) -> str:
    """Return the size that is drawn: 512 has three spellings, and none means 1K."""
    return "512" if ask.size.startswith("512") else ask.size or "1K"


def ratio_of(ask: Ask, family: Family, surface: Surface) -> str:
    """Return the ratio that is drawn: as asked, else near the picture that is edited, else square."""
    if ask.ratio:
        return ask.ratio
    for picture in reversed(ask.edited):
        if picture.content:
            return nearest_ratio(pictures.pixels(picture.content), family.ratios_on(surface))
    return "1:1"


def _said_something(ask: Ask, family: Family, surface: Surface) -> None:
    if not ask.prompt.strip() and not ask.turns[-1].attachments:
        raise invalid("Unable to submit request because it must have a text parameter.")
    if ask.turns[-1].by_model:
        raise invalid("Please ensure that single turn requests end with a user role.")


def _size(ask: Ask, family: Family, surface: Surface) -> None:
    if not ask.size:
        return
    if ask.size not in _SIZES:
        raise invalid(
            f"Invalid value at 'generation_config.image_config.image_size': \"{ask.size}\". "
            f"Supported values are: {', '.join(_SIZES)}."
        )
    if size_of(ask) not in family.sizes:
        raise invalid(f"image_size {ask.size} is not supported by this model.")


def _ratio(ask: Ask, family: Family, surface: Surface) -> None:
    offered = family.ratios_on(surface)
    if ask.ratio and ask.ratio not in offered:
        raise invalid(
            f"aspect_ratio must be one of {', '.join(repr(ratio) for ratio in offered)}, got '{ask.ratio}'."
        )


def _modalities(ask: Ask, family: Family, surface: Surface) -> None:
    if not ask.modalities <= _MODALITIES:
        raise invalid("The requested combination of response modalities is not supported by the model.")


def _generation(ask: Ask, family: Family, surface: Surface) -> None:
    if ask.candidates != 1:
        raise invalid("Multiple candidates is not enabled for this model")
    if ask.sampling_named and not family.sampling:
        raise invalid(f"Sampling parameter '{ask.sampling_named[0]}' is not supported for this model.")
    if ask.max_output_tokens is not None and not 1 <= ask.max_output_tokens <= family.output_tokens:
        raise invalid(
            f"Unable to submit request because it has a maxOutputTokens value of {ask.max_output_tokens} but the "
            f"supported range is from 1 (inclusive) to {family.output_tokens + 1} (exclusive)."
        )
    if ask.mime and (surface != "vertex" or ask.mime not in {"image/png", "image/jpeg"}):
        raise invalid(f"Unsupported output mime type: {ask.mime}")


def _thinking(ask: Ask, family: Family, surface: Surface) -> None:
    if ask.thinking_named and not family.thinks:
        raise invalid("Thinking is not enabled for this model.")
    if ask.thinking_level and ask.thinking_level not in family.thinking_levels:
        raise invalid(f"Thinking level {ask.thinking_level.upper()} is not supported for this model.")


def _tools(ask: Ask, family: Family, surface: Surface) -> None:
    if ask.structured:
        raise invalid("JSON mode is not enabled for this model")
    for tool in sorted(ask.tools):
        if tool != "googleSearch":
            raise invalid(f"Tool '{tool}' is not enabled for this model")
        if not family.grounding:
            raise invalid("Search as tool is not enabled for this model")


def _attachments(ask: Ask, family: Family, surface: Surface) -> None:
    if len(ask.references) > family.references:
        raise invalid(
            f"Too many images in the request: {len(ask.references)}. This model takes up to {family.references}."
        )
    for attachment in ask.attachments:
        if attachment.kind in {"VIDEO", "AUDIO"} and not (attachment.kind == "VIDEO" and family.video):
            raise invalid(f"Unsupported MIME type: {attachment.mime}")
        # A picture that the model drew comes back with the label it was given, be it right or wrong.
        if attachment.kind == "IMAGE" and not attachment.by_model and attachment.content:
            _readable(attachment, surface)


def _readable(attachment: Attachment, surface: Surface) -> None:
    if attachment.mime not in _PICTURE_TYPES:
        raise invalid(f"Unsupported MIME type: {attachment.mime}")
    found = pictures.sniffed(attachment.content)
    if found is None:
        raise invalid(
            "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"
        )
    if found != attachment.mime:
        raise invalid(f"Unhandled generated data mime type: {found}")
    if surface == "vertex" and len(attachment.content) > _INLINE_LIMIT_ON_VERTEX:
        raise invalid("Inline image exceeds the limit of 7 MB.")


def _signatures(ask: Ask, family: Family, surface: Surface) -> None:
    if not family.signatures:
        return
    for position, turn in enumerate(ask.turns, start=1):
        if turn.forged:
            raise invalid("Corrupted thought signature.")
        if turn.unsigned_image is not None:
            raise Refusal(
                400,
                f"Image part is missing a thought_signature in content position {position}, part position "
                f"{turn.unsigned_image}. Please refer to "
                "https://ai.google.dev/gemini-api/docs/thought-signatures#model-behavior for more details.",
            )


_RULES: tuple[Callable[[Ask, Family, Surface], None], ...] = (
    _said_something,
    _size,
    _ratio,
    _modalities,
    _generation,
    _thinking,
    _tools,
    _attachments,
    _signatures,
)
