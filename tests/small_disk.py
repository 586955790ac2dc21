"""A disk of a few megabytes: a tmpfs where one may be mounted, else the same limit told by hand."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(slots=True)
class SmallDisk:
    """A folder that takes `megabytes`. `is_real` tells whether the system enforces it."""

    path: Path
    megabytes: int
    is_real: bool

    def grow(self, megabytes: int) -> None:
        """Make room, as somebody who clears up does."""
        self.megabytes = megabytes
        if self.is_real:
            _run("mount", "-o", f"remount,size={megabytes}m", str(self.path))

    def fill(self) -> Path:
        """Take all that is left, as another program might; remove the file to give it back."""
        hog = self.path / "hog"
        with hog.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while True:
                        file.write(b"\xff" * size)
                except OSError:
                    continue
        return hog

    def room(self, _path: Path) -> int:
        """Return what is left, for where no disk can be mounted."""
        used = sum(one.stat().st_size for one in self.path.rglob("*") if one.is_file())
        return max(0, (self.megabytes << 20) - used)


@contextmanager
def small_disk(path: Path, megabytes: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    path.mkdir()
    is_real = _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path))
    disk = SmallDisk(path, megabytes, is_real)
    if not is_real:
        monkeypatch.setattr("keeprate.assets.spool.room", disk.room)
    try:
        yield disk
    finally:
        if is_real:
            _run("umount", "--lazy", str(path))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
