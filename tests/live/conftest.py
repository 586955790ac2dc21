"""Real money is spent here, so nothing here is even collected unless it was asked for by name."""

import os

ASKED = os.environ.get("KEEPRATE_LIVE") == "1" and bool(os.environ.get("KEEPRATE_LIVE_KEY"))

collect_ignore_glob = [] if ASKED else ["test_*.py"]


def pytest_terminal_summary(terminalreporter) -> None:
    if not ASKED:
        terminalreporter.write_line(
            "Nothing was bought: set KEEPRATE_LIVE=1 and KEEPRATE_LIVE_KEY to spend real money."
        )
