"""What a caller asks for."""

from dataclasses import dataclass, field

from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.numbers import whole
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

LARGEST_VARIANTS = 1000
# A seed is an int32 on the wire (https://ai.google.dev/api/generate-content, `generationConfig.seed`), and
# Imagen takes none below zero.
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An image handed along: known by the hash of its bytes, which the asset store holds."""

    sha256: str
    mime: str
    width: int
    height: int
    bytes_count: int
    role: ReferenceRole = ReferenceRole.OBJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video handed along, by an address the upstream can read (a file it holds, or YouTube)."""

    uri: str
    mime: str = "video/mp4"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """One intent to buy an image, in the caller's words.

    `prompt` is sent and never read by a policy. `ratio` None leaves it to the upstream (square, or
    the reference's). `variants` counts images wanted (n). `failure_cost` is what one rejected image
    costs the caller. `deadline_s` is how many seconds the caller can wait; None means now.
    `continues` names the attempt whose conversation goes on. `text`, `layout`, `reference_fidelity`
    and `asset` left None mean what the purpose implies (`domain.needs`).
    """

    prompt: str
    purpose: Purpose
    size: Size = Size.ONE_K
    ratio: Ratio | None = None
    references: tuple[Reference, ...] = ()
    variants: int = 1
    text: TextAmount | None = None
    layout: Layout | None = None
    reference_fidelity: Fidelity | None = None
    asset: Asset | None = None
    failure_cost: NanoUSD | None = None
    review: Review = Review.INTERNAL
    deadline_s: int | None = None
    video: Video | None = None
    grounding: bool = False
    system: str | None = None
    thinking: Thinking | None = None
    continues: str | None = None
    seed: int | None = None
    labels: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse what no route could ever serve.

        Raises:
            InvalidValue: An empty prompt, or a number out of range.
        """
        if not self.prompt.strip():
            raise InvalidValue(
                "prompt is empty", field="prompt", value=self.prompt, remedy="say what to draw"
            )
        whole(self.variants, field="variants", least=1, most=LARGEST_VARIANTS)
        if self.seed is not None:
            whole(self.seed, field="seed", most=LARGEST_SEED)
        if self.deadline_s is not None and self.deadline_s < 1:
            raise InvalidValue(
                f"deadline {self.deadline_s} s is not in the future",
                field="deadline",
                value=self.deadline_s,
                remedy="give a whole number of seconds from now, 1 or more",
            )
