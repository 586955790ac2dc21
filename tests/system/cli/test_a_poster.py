"""One image bought by the command line: pixels of the grid, the upstream's own bill, and where it came from."""

from decimal import Decimal
from pathlib import Path

from PIL import Image

from tests.system.cli.conftest import Shell

PROMPT = "A poster that says 'GRAND OPENING' in red"
NANO = 10**9


def test_the_poster_is_drawn_billed_kept_and_explained(shell: Shell) -> None:
    before = shell.billed
    asked = ("generate", PROMPT, "--purpose", "text_board", "--size", "2K")
    bought = shell(*asked, "-o", "poster.png", "--json").document

    assert set(bought) >= {
        "outcome", "reason", "charge_usd", "quote", "model", "surface", "attempt_id", "file", "sha256",
        "simulated", "decision",
    }  # fmt: skip
    assert (bought["outcome"], bought["simulated"]) == ("image", True)
    with Image.open(bought["file"]) as picture:
        picture.load()
        assert picture.size == (2048, 2048)
    assert round(bought["charge_usd"] * NANO) == shell.billed - before
    quote = bought["quote"]
    assert quote["low_usd"] <= bought["charge_usd"] <= quote["worst_usd"]

    origin = shell("whence", bought["file"], "--json").document
    assert origin["prompt"] == PROMPT
    assert origin["model"] == bought["model"]
    assert origin["price_usd"] == bought["charge_usd"]
    assert origin["price_source"].startswith("https://")
    assert origin["attempt_id"] == bought["attempt_id"]


def test_a_renamed_copy_still_tells_where_it_comes_from(shell: Shell) -> None:
    bought = shell("generate", PROMPT, "-o", "poster.png", "--json").document
    copy = Path("renamed.bin")
    copy.write_bytes(Path(bought["file"]).read_bytes())
    told = shell("whence", str(copy)).out
    assert PROMPT in told
    assert bought["attempt_id"] in told
    assert "simulated" in told


def test_the_ledger_and_the_report_sum_to_the_upstream_s_bill(shell: Shell) -> None:
    before = shell.billed
    first = shell("generate", PROMPT, "--json").document
    shell("generate", PROMPT, "--variants", "2", "--json")
    shell("verdict", first["attempt_id"], "accepted")
    rows = shell("report", "--simulated", "--json").document["rows"]
    spent = sum(Decimal(str(row["spent_usd"])) for row in rows)
    assert spent * NANO == shell.billed - before
    assert sum(row["accepted"] for row in rows) == 1
    assert sum(row["attempts"] for row in rows) == 3


def test_asked_again_with_the_same_intent_it_is_not_bought_twice(shell: Shell) -> None:
    before = shell.accepted
    first = shell("generate", PROMPT, "--intent", "window-7", "--json").document
    second = shell("generate", PROMPT, "--intent", "window-7", "--json").document
    assert shell.accepted == before + 1
    assert second["attempt_id"] == first["attempt_id"]
    assert any("nothing was bought now" in notice for notice in second["notices"])


def test_a_person_sees_outcome_charge_file_and_that_it_is_simulated(shell: Shell) -> None:
    told = shell("generate", PROMPT, "-o", "poster.png").out
    for word in ("outcome", "image", "charge", "$", "poster.", "attempt", "simulated"):
        assert word in told
