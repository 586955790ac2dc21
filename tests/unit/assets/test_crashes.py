"""Killed at every named place, and on a disk that runs full: no torn file, no paid byte lost."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keeprate.assets import sidecar
from keeprate.assets.spool import DiskSpool
from keeprate.safety.failpoints import FAILPOINTS
from keeprate.safety.images import read_header
from keeprate.safety.paths import UNFINISHED
from tests.trust_counts import record
from tests.unit.safety.pictures import encoded, noise

ROOT = Path(__file__).parents[3]
SITES = sorted(
    name for name in FAILPOINTS if name.startswith(("assets.put", "assets.keep", "paths.write", "spool."))
)
# Buys one reply, stores its image, keeps a copy, drops the reply: the order of work of one purchase.
PURCHASE = """
import asyncio, sys
from pathlib import Path
from keeprate.assets.export import FileKeeper
from keeprate.assets.local import LocalAssets
from keeprate.assets.spool import DiskSpool
from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.failpoints import arm
from tests.unit.assets.stories import story_of

home, arming = Path(sys.argv[1]), sys.argv[2]
content = (home / "upstream").read_bytes()
spool = DiskSpool(home / "spool")
broken = spool.begin("broken")
arm(arming)
broken.write(content[:100])
broken.abandon()
file = spool.begin("a1", expected_bytes=len(content))
for at in range(0, len(content), 65_536):
    file.write(content[at : at + 65_536])
print("bytes came", flush=True)
file.complete(content_type="image/png", served_tier=None, request_id=None)
print("spooled", flush=True)
assets = LocalAssets(home / "assets", decoder=ImageDecoder())
image = asyncio.run(assets.put("default", content))
print("stored", flush=True)
asyncio.run(FileKeeper().keep(
    image, home / "desk" / "poster.png", story_of(image), overwrite=False, prompt_in_file=True))
spool.discard("a1")
print("done", flush=True)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "crash"
    (home / "desk").mkdir(parents=True)
    (home / "upstream").write_bytes(encoded(noise(300, 300), "PNG"))
    return home


def _purchase(home: Path, arming: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PURCHASE, str(home), arming],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def _torn(home: Path) -> list[Path]:
    """Return files at final paths that are not whole, or not what their name says."""
    torn: list[Path] = []
    for path in (*(home / "assets").rglob("*"), *(home / "desk").iterdir()):
        if not path.is_file() or path.name.startswith(UNFINISHED):
            continue
        content = path.read_bytes()
        if path.suffix == ".json":
            whole = sidecar.parsed(content) is not None
        else:
            whole = read_header(content, field="file").width == 300
            if path.is_relative_to(home / "assets"):
                whole = whole and hashlib.sha256(content).hexdigest() == path.stem
        torn += [] if whole else [path]
    return torn


def _bytes_are_somewhere(home: Path) -> bool:
    """Return whether the paid bytes are in the spool, whole or in part, or in the store."""
    content = (home / "upstream").read_bytes()
    stored = home / "assets" / "default"
    names = {path.stem for path in stored.rglob("*.png")} if stored.exists() else set[str]()
    if hashlib.sha256(content).hexdigest() in names:
        return True
    spool = DiskSpool(home / "spool")
    left = [one.path.read_bytes() for one in spool.leftovers() if one.attempt_id == "a1"]
    spool.close()
    return any(one.startswith(content) for one in left)


@pytest.mark.trust
def test_a_kill_at_any_named_place_tears_nothing_and_loses_no_paid_byte(tmp_path: Path) -> None:
    torn: list[tuple[str, Path]] = []
    lost: list[str] = []
    unreached: list[str] = []
    content = encoded(noise(300, 300), "PNG")
    for site in SITES:
        home = tmp_path / site
        (home / "desk").mkdir(parents=True)
        (home / "upstream").write_bytes(content)
        done = _purchase(home, f"{site}:kill")
        unreached += [site] if done.returncode != -9 else []
        torn += [(site, path) for path in _torn(home)]
        lost += [site] if "bytes came" in done.stdout and not _bytes_are_somewhere(home) else []
    record("files: kills at named places of the disk", len(SITES), ">= 20", met=len(SITES) >= 20)
    record("files: torn files after them", len(torn), "0", met=not torn)
    record("files: replies lost after them", len(lost), "0", met=not lost)
    assert unreached == []
    assert torn == []
    assert lost == []


@pytest.mark.trust
@pytest.mark.parametrize("hit", [1, 2, 3])
def test_a_kill_at_a_later_write_tears_nothing(home: Path, hit: int) -> None:
    """The path writer writes description, image, copy and sidecar in turn."""
    for site in ("paths.write.half", "paths.write.linked"):
        _purchase(home, f"{site}:kill:{hit + 1}")
        assert _torn(home) == []
        assert _bytes_are_somewhere(home)


def test_the_next_process_finds_what_a_dead_one_completed(home: Path) -> None:
    assert _purchase(home, "spool.complete.described:kill").returncode == -9
    spool = DiskSpool(home / "spool")
    reply = spool.find("a1")
    spool.close()
    assert reply is not None
    assert reply.body_path.read_bytes() == (home / "upstream").read_bytes()


def test_a_purchase_that_nothing_disturbs_leaves_no_litter(home: Path) -> None:
    done = _purchase(home, "")
    assert done.stdout.split() == ["bytes", "came", "spooled", "stored", "done"], done.stderr
    assert [path.name for path in (home / "spool").iterdir()] == ["broken.part"]
    assert sorted(path.name for path in (home / "desk").iterdir()) == ["poster.png", "poster.png.json"]


FULL = """
import asyncio, resource, sys
from pathlib import Path
from keeprate.assets.local import LocalAssets
from keeprate.assets.spool import DiskSpool
from keeprate.domain.errors import StorageError
from keeprate.safety.decoding import ImageDecoder

home, limit = Path(sys.argv[1]), int(sys.argv[2])
content = (home / "upstream").read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    DiskSpool(home / "spool").begin("a1", expected_bytes=len(content))
except StorageError as error:
    print("refused before buying:", error.remedy is not None)
try:
    asyncio.run(LocalAssets(home / "assets", decoder=ImageDecoder()).put("default", content))
except StorageError as error:
    print("not stored:", error.remedy is not None)
"""


def test_files_beyond_a_limit_are_refused_whole(home: Path) -> None:
    """RLIMIT_FSIZE cuts a write short as a full disk does: after some of the bytes."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(home), "50000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["refused before buying: True", "not stored: True"], done.stderr
    assert _torn(home) == []
    assert not any(path.is_file() for path in (home / "assets").rglob("*"))
    assert not any(path.is_file() for path in (home / "spool").rglob("*"))


SMALL_DISK = """
set -e
mount -t tmpfs -o size=$2 none "$1/small"
cp "$1/upstream" "$1/small/upstream"
mkdir -p "$1/small/desk"
"$3" -c "$4" "$1/small" "" || true
cp -r "$1/small/." "$1/after"
"""


@pytest.mark.trust
@pytest.mark.parametrize("kilobytes", [400, 512, 640, 800, 1_024])
def test_a_small_disk_that_runs_full_tears_nothing(home: Path, kilobytes: int) -> None:
    """A tmpfs in a mount namespace of its own, where the system lets us; it goes with the process."""
    for name in ("small", "after"):
        (home / name).mkdir()
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "--map-root-user",
            "sh",
            "-c",
            SMALL_DISK,
            "sh",
            str(home),
            f"{kilobytes}k",
            sys.executable,
            PURCHASE,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        # `unshare` and `mount` lie in the system's folders, which a bare PATH may leave out.
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/bin:/bin:/usr/sbin:/sbin"},
    )
    if not (home / "after" / "upstream").exists():
        return  # no namespaces here: the limit above and the armed faults stand for it
    after = home / "after"
    assert "Traceback" not in done.stderr or "StorageError" in done.stderr
    assert not (after / "assets").exists() or _torn(after) == []
    if "spooled" in done.stdout:
        assert _bytes_are_somewhere(after)
