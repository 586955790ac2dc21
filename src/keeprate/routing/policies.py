"""The policies by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from keeprate.domain.errors import InvalidValue
from keeprate.routing.flash_first import FLASH_FIRST
from keeprate.routing.plain_policies import CHEAPEST, PINNED
from keeprate.routing.plans import Policy
from keeprate.routing.quality_first import QUALITY_FIRST
from keeprate.routing.six_model import SIX_MODEL

POLICIES: Final[Mapping[str, Policy]] = MappingProxyType(
    {policy.name: policy for policy in (FLASH_FIRST, SIX_MODEL, QUALITY_FIRST, CHEAPEST, PINNED)}
)
DEFAULT_POLICY: Final = FLASH_FIRST.name


def policy_named(name: str) -> Policy:
    """Return the policy called `name`.

    Raises:
        InvalidValue: No such policy.
    """
    policy = POLICIES.get(name)
    if policy is None:
        raise InvalidValue(
            f"policy {name!r} is not known",
            field="policy",
            value=name,
            remedy="use one of: " + ", ".join(POLICIES),
        )
    return policy
