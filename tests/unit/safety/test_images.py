import subprocess
import sys
import time
from pathlib import Path

import pytest

from keeprate.domain.errors import UnreadableReference
from keeprate.safety.images import ImageKind, known_header, read_header, sniff
from tests.trust_counts import record
from tests.unit.safety.bombs import BOMBS
from tests.unit.safety.pictures import FORMATS, encoded, noise, picture

LONGEST_S = 0.2
MOST_GROWTH = 64_000_000
# The kernel's own high-water mark, set back before each file: getrusage would tell the parent's.
GROWTH_PROBE = """
import re, sys
from pathlib import Path
from keeprate.domain.errors import UnreadableReference
from keeprate.safety.images import read_header

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

worst = 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    content = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5")
    start = peak()
    try:
        read_header(content, field="reference")
    except UnreadableReference:
        worst = max(worst, peak() - start)
        continue
    sys.exit("one was not refused")
print(worst)
"""


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_a_whole_picture_is_told_by_its_bytes(image_format: str, mode: str) -> None:
    shown = "RGB" if image_format == "JPEG" and mode in {"RGBA", "P"} else mode
    content = encoded(noise(50, 31, shown), image_format)
    header = read_header(content, field="reference")
    assert (header.kind.name, header.width, header.height) == (image_format, 50, 31)
    assert known_header(content) == header
    assert known_header(content[:10]) is None
    assert sniff(content) is header.kind


@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        ("PNG", {"bits": 1}),
        ("PNG", {"icc_profile": b"profile" * 200}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", "comment": b"hello"}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"icc_profile": b"profile" * 200, "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"}),
    ],
)
def test_what_real_programs_write_is_accepted(image_format: str, options: dict[str, object]) -> None:
    header = read_header(picture(image_format, **options), field="reference")
    assert (header.width, header.height) == (48, 32)


def test_bytes_behind_the_end_do_not_make_a_picture_unreadable() -> None:
    for image_format in FORMATS:
        assert read_header(picture(image_format) + b"PK\3\4 trailing", field="reference").width == 48


def test_there_are_forty_bombs() -> None:
    assert len(BOMBS) == 40


def _refused_in_s(content: bytes) -> float:
    """Return the shortest of three refusals: the machine may be busy with other tests."""
    took: list[float] = []
    for _ in range(3):
        start = time.perf_counter()
        with pytest.raises(UnreadableReference):
            read_header(content, field="reference")
        took.append(time.perf_counter() - start)
    return min(took)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_from_its_header_with_a_remedy(name: str) -> None:
    with pytest.raises(UnreadableReference) as raised:
        read_header(BOMBS[name](), field="reference 2")
    assert raised.value.field == "reference 2"
    assert raised.value.remedy
    assert len(raised.value.message) < 200


@pytest.mark.trust
def test_refusing_forty_bombs_takes_little_memory(tmp_path: Path) -> None:
    for number, make in enumerate(BOMBS.values()):
        (tmp_path / str(number)).write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", GROWTH_PROBE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    growth = int(done.stdout)
    record(
        "bombs: largest memory growth by one of forty, bytes", growth, "<= 64 MB", met=growth <= MOST_GROWTH
    )
    assert growth <= MOST_GROWTH


@pytest.mark.trust
def test_the_slowest_bomb_is_refused_within_200_ms() -> None:
    slowest = max(_refused_in_s(make()) for make in BOMBS.values())
    record(
        "bombs: slowest refusal of forty, ms", round(slowest * 1000, 1), "<= 200", met=slowest <= LONGEST_S
    )
    assert slowest <= LONGEST_S


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "video"),
        (b"GIF89a", "GIF"),
        (b"\xef\xbb\xbf  <svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"%PDF-1.7", "PDF"),
        (b"RIFF\0\0\0\0WAVE", "RIFF"),
        (b"", "empty"),
        (b"\x00\x01\x02", "no image format"),
    ],
)
def test_a_refusal_names_what_was_handed_in(start: bytes, said: str) -> None:
    with pytest.raises(UnreadableReference, match=said):
        read_header(start, field="reference")


def test_kinds_know_their_mime_and_extension() -> None:
    assert [(kind.mime, kind.extension) for kind in ImageKind] == [
        ("image/png", "png"),
        ("image/jpeg", "jpg"),
        ("image/webp", "webp"),
    ]
