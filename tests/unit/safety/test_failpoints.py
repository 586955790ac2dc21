import errno
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeprate.domain.errors import ConfigError
from keeprate.safety.failpoints import FAILPOINTS, arm, failpoint

SOURCE = Path(__file__).parents[3] / "src" / "keeprate"
CALL = re.compile(r"\bfailpoint\(\s*f?\"([^\"]+)\"")
# Folders whose registered names must all be in use; a name nobody passes proves nothing.
COMPLETE = ("assets.", "paths.", "spool.")


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm("")


def _used() -> set[str]:
    return {name for path in SOURCE.rglob("*.py") for name in CALL.findall(path.read_text()) if "." in name}


def test_every_failpoint_passed_in_the_source_is_registered() -> None:
    # The module's own docstring shows one call, with a registered name.
    assert _used() - FAILPOINTS == set()


def test_every_registered_failpoint_of_files_is_passed_somewhere() -> None:
    ours = {name for name in FAILPOINTS if name.startswith(COMPLETE)}
    assert ours - _used() == set()


def test_there_are_at_least_forty_named_places() -> None:
    assert len(FAILPOINTS) >= 40


def test_an_unarmed_failpoint_does_nothing() -> None:
    failpoint("spool.complete.synced")


@pytest.mark.parametrize(("action", "number"), [("enospc", errno.ENOSPC), ("eio", errno.EIO)])
def test_an_armed_failpoint_fails_the_disk_once(action: str, number: int) -> None:
    arm(f"paths.write.half:{action}:2")
    failpoint("paths.write.half")
    with pytest.raises(OSError, match="failpoint") as raised:
        failpoint("paths.write.half")
    assert raised.value.errno == number
    failpoint("paths.write.half")


def test_a_star_fails_at_each_passing() -> None:
    arm("paths.write.half:eio:*")
    for _ in range(3):
        with pytest.raises(OSError, match="failpoint"):
            failpoint("paths.write.half")


def test_a_trace_lists_what_was_passed(tmp_path: Path) -> None:
    arm(f"*:trace={tmp_path / 'passed'}")
    failpoint("paths.write.half")
    failpoint("spool.begin.opened")
    failpoint("paths.write.half")
    passed = (tmp_path / "passed").read_text().split()
    assert passed == ["paths.write.half", "spool.begin.opened", "paths.write.half"]


def test_several_can_be_armed_together() -> None:
    arm("paths.write.half:sleep=0, spool.begin.opened:enospc")
    failpoint("paths.write.half")
    with pytest.raises(OSError, match="No space"):
        failpoint("spool.begin.opened")


@pytest.mark.parametrize("text", ["nowhere:kill", "paths.write.half:explode", "paths.write.half:kill:soon"])
def test_a_misspelt_arming_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        arm(text)
    assert raised.value.field == "KEEPRATE_FAILPOINT"
    assert raised.value.remedy


def test_kill_ends_the_process_at_once() -> None:
    script = (
        "import atexit; from keeprate.safety.failpoints import arm, failpoint\n"
        "atexit.register(print, 'goodbye')\n"
        "arm('paths.write.half:kill'); failpoint('paths.write.half'); print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-9, "")
