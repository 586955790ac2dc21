"""The manual names every policy, trigger, signal, reason and mix there is."""

import re
from pathlib import Path

from keeprate.routing import decide, eligibility, flash_first
from keeprate.routing.mixes import MIXES
from keeprate.routing.policies import POLICIES

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "policies.md").read_text(encoding="utf-8")


def named_in(module: object, pattern: str) -> set[str]:
    return set(re.findall(pattern, Path(str(module.__file__)).read_text(encoding="utf-8")))  # type: ignore[attr-defined]


def test_every_policy_is_described_with_its_version() -> None:
    for policy in POLICIES.values():
        assert f"| `{policy.name}` | {policy.version} |" in PAGE


def test_every_trigger_and_signal_is_described() -> None:
    names = named_in(flash_first, r'_signal\(\s*needs, "(\w+)"') | {"failure_cost"}
    assert len(names) == 10
    assert {name for name in names if f"| `{name}` |" not in PAGE} == set()


def test_every_reason_is_described() -> None:
    codes = named_in(eligibility, r'code="(\w+)"') | named_in(eligibility, r'_flag\("(\w+)"')
    codes |= named_in(eligibility, r'_turn\("(\w+)"') | named_in(decide, r'code(?:, reason)? = "(\w+)"')
    assert len(codes) >= 21
    assert {code for code in codes if f"`{code}`" not in PAGE} == set()


def test_every_mix_is_described() -> None:
    assert {name for name in MIXES if f"| `{name}` |" not in PAGE} == set()
