"""A contract price is what you pay, so it is what you are shown."""

from pathlib import Path

import pytest

from tests.system.cli.conftest import Shell

CONTRACT = """
[[upstream]]
name = "acme"
surface = "gemini-api"
base_url = "https://acme.example"
credential_env = "ACME_KEY"

[[price]]
model = "gemini-3-pro-image"
surface = "gemini-api"
upstream = "acme"
per_image = { 1K = "0.10", 2K = "0.10", 4K = "0.20" }
source = "contract of 2026-07-01"
valid_from = 2026-07-01
"""
DAY = ("--as-of", "2026-11-21")


@pytest.fixture
def contracted(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The same, with a contract and no other upstream."""
    monkeypatch.delenv("KEEPRATE_EMULATOR_URL")
    monkeypatch.setenv("ACME_KEY", "a-key-of-the-tests")
    Path("keeprate.toml").write_text(CONTRACT)
    return shell


def test_an_estimate_is_at_the_contract_price_and_says_so(contracted: Shell) -> None:
    asked = ("estimate", "--count", "10", "--model", "gemini-3-pro-image", *DAY)
    assert contracted(*asked, "--json").document["total_usd"] == 1
    assert "price of upstream acme: contract of 2026-07-01" in contracted(*asked).out


def test_the_models_are_listed_at_the_contract_price(contracted: Shell) -> None:
    listed = {one["model"]: one for one in contracted("models", *DAY, "--json").document["models"]}
    assert listed["gemini-3-pro-image"]["image_usd"] == {"1K": 0.1, "2K": 0.1, "4K": 0.2}
    assert listed["gemini-3-pro-image"]["price_upstream"] == "acme"
    assert listed["gemini-3.1-flash-lite-image"]["price_upstream"] is None
    assert "by acme:" in contracted("models", *DAY).out


def test_a_model_is_shown_with_the_contract_price_and_its_source(contracted: Shell) -> None:
    shown = contracted("models", "show", "gemini-3-pro-image", *DAY).out
    assert "those of upstream acme, by contract of 2026-07-01" in shown
    assert "1K image" in shown
    assert "$0.10" in shown


def test_who_has_no_contract_pays_the_official_price(shell: Shell) -> None:
    Path("keeprate.toml").write_text(CONTRACT)  # the emulator comes second, and is another upstream
    listed = {one["model"]: one for one in shell("models", *DAY, "--json").document["models"]}
    assert listed["gemini-3-pro-image"]["price_upstream"] == "acme"
    assert "by acme:" in shell("models", *DAY).out
