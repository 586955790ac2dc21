"""From the flags as typed to the library's Options."""

from keeprate.cli.flags import Kept, Wanted, Where
from keeprate.domain.errors import InvalidValue
from keeprate.workflows.options import Options


def options_from(wanted: Wanted, where: Where, kept: Kept, references: tuple[str, ...] = ()) -> Options:
    """Return what was typed, untouched: the library turns words into values and refuses.

    Raises:
        InvalidValue: --text-heavy beside another --text.
    """
    return Options(
        purpose=wanted.purpose,
        size=wanted.size,
        ratio=wanted.ratio,
        model=where.model,
        policy=where.policy,
        upstream=where.upstream,
        references=references,
        variants=wanted.variants,
        text=_text(wanted),
        layout=wanted.layout,
        reference_fidelity=wanted.reference_fidelity,
        asset=wanted.asset,
        failure_cost=wanted.failure_cost,
        review=wanted.review,
        deadline=wanted.deadline,
        lane=where.lane,
        video=wanted.video,
        grounding=wanted.grounding,
        system=wanted.system,
        thinking=wanted.thinking,
        seed=wanted.seed,
        intent=kept.intent,
        yes=kept.yes,
        output=kept.output,
        overwrite=kept.overwrite,
        prompt_in_file=not kept.no_prompt_in_file,
        partial=kept.partial,
    )


def _text(wanted: Wanted) -> str | None:
    if not wanted.text_heavy:
        return wanted.text
    if wanted.text not in {None, "dense"}:
        raise InvalidValue(
            f"--text-heavy means dense text, and --text says {wanted.text}",
            field="text",
            value=wanted.text,
            remedy="give one of the two",
        )
    return "dense"
