"""What the API takes. Strict: a field that is unknown or of another type is refused, never guessed at."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from keeprate.domain.budgets import Window
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import (
    Asset,
    Fidelity,
    Lane,
    Layout,
    Purpose,
    ReferenceRole,
    Review,
    TextAmount,
    Thinking,
)
from keeprate.domain.terms import Grant
from keeprate.domain.verdicts import VerdictKind

# No control characters but the usual white space: databases and logs choke on them, and no prompt needs one.
_PRINTABLE = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
_WORD = r"^[A-Za-z0-9][A-Za-z0-9._:/@ -]{0,127}$"

Text = Annotated[str, Field(min_length=1, max_length=32_000, pattern=_PRINTABLE)]
Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\u0000-\u001f\u007f]*$")]
Name = Annotated[str, Field(pattern=_WORD)]
Usd = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,7}(\.[0-9]{1,9})?$",
        description="US dollars, exact, as text.",
        examples=["0.134"],
    ),
]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="Hash of an image's untouched bytes.")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
BudgetId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_@%:+=. /-]{1,200}$")]
Span = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}[smhd]$", examples=["90d"])]
Day = Annotated[str, Field(pattern=r"^20[0-9]{2}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"})]
YesOrNo = Literal["true", "false"]


class Strict(BaseModel):
    """A body that holds what it says, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Looked(Strict):
    """What a request says of the image it wants. Left out, a field is what key, purpose or policy say."""

    purpose: Annotated[Purpose | None, Field(strict=False)] = None
    size: Annotated[Size | None, Field(strict=False)] = None
    ratio: Annotated[str | None, Field(pattern=r"^[1-9][0-9]?:[1-9][0-9]?$", examples=["16:9"])] = None
    model: Name | None = None
    policy: Name | None = None
    upstream: Name | None = None
    variants: Annotated[int, Field(ge=1, le=100)] = 1
    text: Annotated[TextAmount | None, Field(strict=False)] = None
    layout: Annotated[Layout | None, Field(strict=False)] = None
    reference_fidelity: Annotated[Fidelity | None, Field(strict=False)] = None
    asset: Annotated[Asset | None, Field(strict=False)] = None
    failure_cost: Usd | None = None
    review: Annotated[Review | None, Field(strict=False)] = None
    deadline: Span | None = None
    lane: Annotated[Lane | None, Field(strict=False)] = None
    video: Line | None = None
    grounding: bool = False
    system: Text | None = None
    thinking: Annotated[Thinking | None, Field(strict=False)] = None
    seed: Annotated[int | None, Field(ge=0, le=2_147_483_647)] = None
    roles: Annotated[tuple[ReferenceRole, ...], Field(strict=False, max_length=14)] = ()


class RouteAsked(Looked):
    """A request to be routed; references are counted, not sent."""

    prompt: Text | None = None
    references: Annotated[int, Field(ge=0, le=14)] = 0
    budget_used_percent: Annotated[int | None, Field(ge=0, le=100)] = None


class Bought(Looked):
    """What every purchase takes. `user` is your end user, with caps of their own where the key says so."""

    prompt: Text
    user: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._@:+=-]{1,64}$")] = None
    yes: Annotated[bool, Field(description="Agree to the home's first purchase with real money.")] = False


class GenerateAsked(Bought):
    """An image to be bought."""

    references: Annotated[
        tuple[str, ...], Field(strict=False, max_length=14, description="Reference images, base64.")
    ] = ()
    continues: Id | None = None


class EditAsked(Bought):
    """An image to be changed: references to change, or an attempt to go on from."""

    references: Annotated[
        tuple[str, ...], Field(strict=False, max_length=14, description="Reference images, base64.")
    ] = ()
    continues: Id | None = None


class VerdictAsked(Strict):
    """What somebody thinks of an image. `image` None is the attempt's first."""

    kind: Annotated[VerdictKind, Field(strict=False)]
    reason: Line | None = None
    cleanup_minutes: Annotated[int, Field(ge=0, le=100_000)] = 0
    image: Sha256 | None = None


class BillAsked(Strict):
    """What the upstream's bill says of an attempt. `billed_usd` None means it was not billed."""

    billed_usd: Usd | None


class BudgetAsked(Strict):
    """A cap. `key` None caps the whole workspace."""

    window: Annotated[Window, Field(strict=False)]
    limit_usd: Usd
    key: BudgetId | None = None


class StopAsked(Strict):
    """Why nothing more is to be bought."""

    reason: Line = "stopped by hand"


class KeyAsked(Strict):
    """A key to be made. What is left out is the plan's, and without a plan the default."""

    name: Line
    plan: Name | None = None
    scopes: Annotated[tuple[Grant, ...] | None, Field(strict=False, min_length=1)] = None
    models: Annotated[tuple[Name, ...] | None, Field(strict=False, max_length=50)] = None
    expires: Span | None = None
    largest_size: Annotated[Size | None, Field(strict=False)] = None
    per_minute: Annotated[int | None, Field(ge=1, le=100_000)] = None
    policy: Name | None = None
    purpose: Annotated[Purpose | None, Field(strict=False)] = None
    cap: Usd | None = None
    per: Annotated[Window | None, Field(strict=False)] = None
    user_cap: Usd | None = None
    user_per: Annotated[Window | None, Field(strict=False)] = None
    cache: bool | None = None
    single_flight: bool | None = None
