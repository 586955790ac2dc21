"""How a purchase ended is the exit code, and the document says the same."""

import pytest

from tests.system.cli.conftest import Shell

GENERATE = ("generate", "a lamp")


@pytest.mark.parametrize(
    ("fault", "members", "outcome", "code"),
    [
        ("text_only", {}, "text_only", 6),
        ("finish_reason", {"reason": "IMAGE_SAFETY"}, "blocked", 6),
        ("block_reason", {"reason": "SAFETY"}, "blocked", 6),
        ("no_content", {}, "empty", 6),
        ("error", {"code": 400}, "failed", 5),
        ("drop_after_accept", {}, "unknown", 7),
    ],
)
def test_an_outcome_without_an_image_has_its_code_and_a_way_on(
    fault: str, members: dict[str, object], outcome: str, code: int, shell: Shell
) -> None:
    shell.emulator.fault(fault, times=1, **members)
    ran = shell(*GENERATE, "--json")
    assert (ran.document["outcome"], ran.code) == (outcome, code)
    shell.emulator.fault(fault, times=1, **members)
    told = shell(*GENERATE)
    assert told.code == code
    assert f"outcome  {outcome}" in told.out
    assert "try" in told.out


def test_some_of_the_images_is_partial(shell: Shell) -> None:
    shell.emulator.fault("text_only", times=1)
    ran = shell(*GENERATE, "-n", "3", "--json")
    assert ran.code == 3
    assert len(ran.document["images"]) == 2


def test_an_unknown_attempt_is_listed_held_and_reconciled(shell: Shell) -> None:
    shell.emulator.fault("drop_after_accept", times=1)
    attempt = shell(*GENERATE, "--json").document["attempt_id"]

    (listed,) = shell("attempts", "--unknown", "--json").document["attempts"]
    assert listed["attempt_id"] == attempt
    assert listed["held_usd"] > 0
    told = shell("attempts", "--unknown").out
    assert attempt in told
    assert "keeprate reconcile" in told

    booked = shell("reconcile", attempt, "--billed", "--amount", "0.0336", "--json").document
    assert (booked["charge_usd"], booked["held_usd"]) == (0.0336, 0)
    assert shell("attempts", "--unknown", "--json").document == {"attempts": []}


def test_an_unknown_attempt_may_be_bought_again_and_both_are_booked(shell: Shell) -> None:
    shell.emulator.fault("drop_after_accept", times=1)
    attempt = shell(*GENERATE, "--json").document["attempt_id"]
    before = shell.accepted
    again = shell("generate", "--retry-unknown", attempt, "--json")
    assert again.code == 0
    assert shell.accepted == before + 1
    assert again.document["attempt_id"] != attempt
    states = {row["attempt_id"]: row["state"] for row in shell("attempts", "--json").document["attempts"]}
    assert states == {attempt: "unknown", again.document["attempt_id"]: "image"}


def test_what_is_not_unknown_is_not_bought_again(shell: Shell) -> None:
    attempt = shell(*GENERATE, "--json").document["attempt_id"]
    before = shell.accepted
    ran = shell("generate", "--retry-unknown", attempt, "--json")
    assert (ran.code, ran.error["code"]) == (2, "conflict")
    assert shell.accepted == before
