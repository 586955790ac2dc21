"""What a policy may read of a request: every field but the words of the prompt.

A field left unset takes what its purpose implies; `implied` names the fields filled in that way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import (
    Asset,
    Fidelity,
    Layout,
    Purpose,
    ReferenceRole,
    Review,
    TextAmount,
    Thinking,
)
from keeprate.domain.requests import ImageRequest

# A text board is dense text and an infographic is labels in an order; finals and print are for
# keeps; locking a character means keeping its references. Nothing else follows from a purpose.
IMPLIED_TEXT: Final[Mapping[Purpose, TextAmount]] = MappingProxyType(
    {Purpose.TEXT_BOARD: TextAmount.DENSE, Purpose.INFOGRAPHIC: TextAmount.DENSE}
)
IMPLIED_LAYOUT: Final[Mapping[Purpose, Layout]] = MappingProxyType({Purpose.INFOGRAPHIC: Layout.COMPLEX})
IMPLIED_FIDELITY: Final[Mapping[Purpose, Fidelity]] = MappingProxyType(
    {Purpose.CHARACTER_LOCK: Fidelity.STRICT}
)
IMPLIED_ASSET: Final[Mapping[Purpose, Asset]] = MappingProxyType(
    {Purpose.FINAL_HERO: Asset.FINAL, Purpose.PRINT: Asset.FINAL}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """A request without its wording.

    `prompt_bytes` is how long prompt and system instruction are in UTF-8, from which tokens are
    estimated. `roles` has one entry per reference.
    """

    purpose: Purpose
    size: Size
    ratio: Ratio | None
    roles: tuple[ReferenceRole, ...]
    variants: int
    text: TextAmount
    layout: Layout
    reference_fidelity: Fidelity
    asset: Asset
    failure_cost: NanoUSD | None
    review: Review
    deadline_s: int | None
    video: bool
    grounding: bool
    system: bool
    thinking: Thinking | None
    continues: bool
    seed: bool
    prompt_bytes: int
    implied: frozenset[str]

    @property
    def references(self) -> int:
        """Return how many reference images are handed along."""
        return len(self.roles)


def needs_of(request: ImageRequest) -> Needs:
    """Return what policies may read of `request`, unset fields filled from its purpose."""
    purpose = request.purpose
    return Needs(
        purpose=purpose,
        size=request.size,
        ratio=request.ratio,
        roles=tuple([reference.role for reference in request.references]),
        variants=request.variants,
        text=request.text or IMPLIED_TEXT.get(purpose, TextAmount.NONE),
        layout=request.layout or IMPLIED_LAYOUT.get(purpose, Layout.SIMPLE),
        reference_fidelity=request.reference_fidelity or IMPLIED_FIDELITY.get(purpose, Fidelity.LOOSE),
        asset=request.asset or IMPLIED_ASSET.get(purpose, Asset.DRAFT),
        failure_cost=request.failure_cost,
        review=request.review,
        deadline_s=request.deadline_s,
        video=request.video is not None,
        grounding=request.grounding,
        system=request.system is not None,
        thinking=request.thinking,
        continues=request.continues is not None,
        seed=request.seed is not None,
        prompt_bytes=len(request.prompt.encode()) + len((request.system or "").encode()),
        implied=_implied_fields(request),
    )


def _implied_fields(request: ImageRequest) -> frozenset[str]:
    names = _IMPLIED_NAMES.get(request.purpose, _NOTHING)
    return frozenset([name for name in names if getattr(request, name) is None]) if names else names


_NOTHING: Final[frozenset[str]] = frozenset()
_IMPLIED_NAMES: Final[Mapping[Purpose, frozenset[str]]] = MappingProxyType(
    {
        purpose: frozenset(
            [
                name
                for name, table in (
                    ("text", IMPLIED_TEXT),
                    ("layout", IMPLIED_LAYOUT),
                    ("reference_fidelity", IMPLIED_FIDELITY),
                    ("asset", IMPLIED_ASSET),
                )
                if purpose in table
            ]
        )
        for purpose in Purpose
    }
)
