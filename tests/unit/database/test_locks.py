"""Locks that processes share: exclusive while held, free when their holder is gone."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from keeprate.database.locks import LifeLock, WriteLock, is_held, refuse_network_disk
from keeprate.domain.errors import ConfigError, StorageError

MOUNTS = """\
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
30 22 0:40 / /net rw - nfs4 server:/export rw
31 30 254:2 / /net/local rw - xfs /dev/vdb rw
32 22 0:41 / /my\\040share rw shared:5 - cifs //server/share rw
"""


@pytest.mark.parametrize("folder", ["/net", "/net/home/keeprate", "/my share/keeprate"])
def test_a_network_disk_is_refused(folder: str) -> None:
    with pytest.raises(ConfigError, match="network"):
        refuse_network_disk(Path(folder), MOUNTS)


@pytest.mark.parametrize("folder", ["/", "/srv/ana", "/net/local/keeprate", "/network"])
def test_a_disk_of_this_machine_is_taken(folder: str) -> None:
    refuse_network_disk(Path(folder), MOUNTS)


def test_where_the_system_tells_nothing_nothing_is_refused(tmp_path: Path) -> None:
    refuse_network_disk(tmp_path, "")
    refuse_network_disk(tmp_path)


def test_writers_take_turns_over_handles_and_threads(tmp_path: Path) -> None:
    locks = [WriteLock(tmp_path / "lock") for _ in range(3)]
    inside, most = 0, 0

    def work(lock: WriteLock) -> None:
        nonlocal inside, most
        for _ in range(200):
            with lock.exclusive():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work, args=(lock,)) for lock in locks for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    for lock in locks:
        lock.close()


def test_a_life_lock_is_held_once_and_gone_when_closed(tmp_path: Path) -> None:
    lock = LifeLock(tmp_path / "me.lock")
    assert lock.is_on_disk
    assert is_held(lock.path)
    with pytest.raises(StorageError):
        LifeLock(lock.path)
    lock.close()
    lock.close()
    assert not is_held(lock.path)
    assert not lock.is_on_disk


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "it.lock"
    script = (
        "import sys, time; from pathlib import Path; from keeprate.database.locks import LifeLock; "
        "lock = LifeLock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert is_held(path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert path.exists()
    assert not is_held(path)
