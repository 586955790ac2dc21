"""Caps, keys and the bill, as a person keeps them at the command line."""

import pytest

from tests.system.cli.conftest import Shell


@pytest.mark.parametrize("command", ["budget", "keys"])
def test_list_is_what_the_command_alone_is(command: str, shell: Shell) -> None:
    assert shell(command, "list", "--json").document == shell(command, "--json").document


def test_a_slip_of_the_finger_is_not_booked_and_can_be_put_right(shell: Shell) -> None:
    shell.emulator.fault("drop_after_accept", times=1)
    attempt = shell("generate", "a lamp", "--json").document["attempt_id"]
    refused = shell("reconcile", attempt, "--billed", "--amount", "99", "--json")
    assert (refused.code, refused.error["field"]) == (2, "amount")
    assert "--force" in refused.error["remedy"]
    assert shell("reconcile", attempt, "--billed", "--amount", "0.08", "--json").code == 0
    mended = shell("reconcile", attempt, "--billed", "--amount", "0.04", "--json").document
    assert mended["charge_usd"] == 0.04


def test_the_cap_of_a_key_is_shown_with_the_key_and_with_the_caps(shell: Shell) -> None:
    key = shell("keys", "create", "shop", "--json").document["id"]
    shell("budget", "set", "hour", "0.05", "--key", key)
    (shown,) = shell("keys", "--json").document["keys"]
    assert shown["caps"] == ["$0.05 an hour"]
    assert "$0.05 an hour" in shell("keys").out
    assert key in {cap["key"] for cap in shell("budget", "--json").document["budgets"]}
    refused = shell("budget", "set", "hour", "1", "--key", "nope", "--json")
    assert (refused.code, refused.error["code"], refused.error["field"]) == (2, "not_found", "key")
