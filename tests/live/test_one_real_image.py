"""One picture from the real Gemini API. The cost is printed before it is spent, and capped."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

MOST_USD = Decimal("0.10")
REQUEST = ("--purpose", "draft", "--size", "1K")

pytestmark = pytest.mark.live


def _keeprate(home: Path, *words: str) -> dict[str, object]:
    done = subprocess.run(
        [Path(sys.executable).with_name("keeprate"), *words, "--json"],
        env={**os.environ, "GEMINI_API_KEY": os.environ["KEEPRATE_LIVE_KEY"], "KEEPRATE_HOME": str(home)},
        cwd=home.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_one_image_costs_no_more_than_it_was_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    planned = _keeprate(home, "route", *REQUEST)
    quote = planned["quote"]
    assert isinstance(quote, dict)
    worst = Decimal(str(quote["worst_usd"]))
    with capsys.disabled():
        sys.stdout.write(f"\nabout to spend at most ${worst} on {planned['model']}\n")
    assert worst <= MOST_USD
    bought = _keeprate(
        home, "generate", "A red kite over a green hill", *REQUEST, "-o", str(tmp_path / "kite"), "--yes"
    )
    assert bought["outcome"] == "image"
    assert bought["simulated"] is False
    assert Decimal(0) < Decimal(str(bought["charge_usd"])) <= worst
    assert Path(str(bought["file"])).stat().st_size > 0
