import io
import resource
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from keeprate.domain.errors import UnreadableReference
from keeprate.safety.decode_jobs import Job
from keeprate.safety.decoding import ImageDecoder
from tests.trust_counts import count, record
from tests.unit.safety.bombs import BOMBS
from tests.unit.safety.pictures import FORMATS, chunk, encoded, noise, opened, picture, png, riff, riff_chunk

ROOT = Path(__file__).parents[3]
GPS, SERIAL, MAKER = 0x8825, 0xA431, 0x927C


@pytest.fixture(scope="module")
def decoder() -> Iterator[ImageDecoder]:
    decoder = ImageDecoder()
    yield decoder
    decoder.close()


def _camera_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "Camera CAMERA-MARK"
    exif[0x0112] = orientation
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    exif.get_ifd(0x8769).update({SERIAL: "SERIAL-MARK", MAKER: b"MAKER-MARK"})
    return exif.tobytes()


def _quarters() -> Image.Image:
    """Return a picture, 40 wide and 20 high, whose corners differ: red, green, blue, white."""
    drawn = Image.new("RGB", (40, 20))
    for colour, box in (
        ("red", (0, 0, 20, 10)),
        ("lime", (20, 0, 40, 10)),
        ("blue", (0, 10, 20, 20)),
        ("white", (20, 10, 40, 20)),
    ):
        drawn.paste(colour, box)
    return drawn


def _corners(image: Image.Image) -> list[str]:
    names = {(1, 0, 0): "red", (0, 1, 0): "lime", (0, 0, 1): "blue", (1, 1, 1): "white"}
    width, height = image.size
    places = ((4, 4), (width - 5, 4), (4, height - 5), (width - 5, height - 5))
    seen = [image.convert("RGB").getpixel(place) for place in places]
    return [names[tuple(int(value > 127) for value in colour)] for colour in seen]


# What a viewer shows for each EXIF orientation of the picture above, corner by corner.
SHOWN = {
    1: ["red", "lime", "blue", "white"],
    2: ["lime", "red", "white", "blue"],
    3: ["white", "blue", "lime", "red"],
    4: ["blue", "white", "red", "lime"],
    5: ["red", "blue", "lime", "white"],
    6: ["blue", "red", "white", "lime"],
    7: ["white", "lime", "blue", "red"],
    8: ["lime", "white", "red", "blue"],
}


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("orientation", SHOWN)
def test_a_reference_is_sent_as_a_viewer_shows_it(
    decoder: ImageDecoder, image_format: str, orientation: int
) -> None:
    content = encoded(_quarters(), image_format, exif=_camera_exif(orientation))
    cleaned = opened(decoder.cleaned(content, field="reference"))
    assert _corners(cleaned) == SHOWN[orientation]
    assert cleaned.format == image_format
    assert not cleaned.getexif()


@pytest.mark.parametrize("image_format", FORMATS)
def test_an_upright_reference_keeps_its_pixels_bit_for_bit(decoder: ImageDecoder, image_format: str) -> None:
    content = picture(image_format, exif=_camera_exif(1), icc_profile=b"profile" * 50)
    cleaned = decoder.cleaned(content, field="reference")
    assert opened(cleaned).tobytes() == opened(content).tobytes()
    assert opened(cleaned).info["icc_profile"] == b"profile" * 50


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_turned_reference_keeps_its_colour_profile(decoder: ImageDecoder, image_format: str) -> None:
    content = picture(image_format, exif=_camera_exif(6), icc_profile=b"profile" * 50)
    assert opened(decoder.cleaned(content, field="reference")).info["icc_profile"] == b"profile" * 50


def test_what_phones_hang_on_behind_a_picture_is_left_behind(decoder: ImageDecoder) -> None:
    content = picture("JPEG") + b"ftypmp42 MOTION-PHOTO with sound"
    cleaned = decoder.cleaned(content, field="reference")
    assert b"MOTION-PHOTO" not in cleaned
    assert cleaned.endswith(b"\xff\xd9")


def test_a_thumbnail_inside_jfif_is_left_behind(decoder: ImageDecoder) -> None:
    plain = picture("JPEG")
    thumbnail = b"JFIF\0\1\1\0\0\1\0\1\2\2" + b"PREVIEW-MARK"
    content = plain[:2] + b"\xff\xe0" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail + plain[20:]
    cleaned = decoder.cleaned(content, field="reference")
    assert b"PREVIEW-MARK" not in cleaned
    assert opened(cleaned).tobytes() == opened(plain).tobytes()


@pytest.mark.trust
def test_no_photo_tells_where_or_by_what_it_was_taken(decoder: ImageDecoder) -> None:
    photos = count("reference-privacy", quick=48, full=200)
    leaks = turned_wrong = 0
    for number in range(photos):
        image_format = FORMATS[number % 3]
        orientation = 1 + number % 8
        content = encoded(
            _quarters(), image_format, exif=_camera_exif(orientation), xmp=b"<x>GPS-MARK in XMP</x>"
        )
        cleaned = decoder.cleaned(content, field="reference")
        leaks += any(mark in cleaned for mark in (b"-MARK", b"Exif", b"GPS"))
        leaks += bool(opened(cleaned).getexif())
        turned_wrong += _corners(opened(cleaned)) != SHOWN[orientation]
    record("references: photos with a tag left", leaks, "0", met=leaks == 0)
    record("references: photos turned wrong", turned_wrong, "0", met=turned_wrong == 0)
    assert (leaks, turned_wrong) == (0, 0)


def _decode_bombs() -> dict[str, bytes]:
    """Return files whose headers are in order and whose pixels are not."""
    jpeg = picture("JPEG", 400, 400)
    return {
        "a PNG whose pixels are missing": png(chunk(b"IDAT", zlib.compress(b"\0")), width=400, height=400),
        "a PNG whose pixels are no deflate stream": png(
            chunk(b"IDAT", b"garbage" * 40), width=400, height=400
        ),
        "a JPEG without tables": jpeg[:2] + jpeg[jpeg.index(b"\xff\xc0") :],
        "a WebP whose pixels stop": riff(
            riff_chunk(b"VP8L", picture("WEBP", 400, 400, lossless=True)[20:25])
        ),
    }


@pytest.mark.parametrize("name", _decode_bombs())
def test_pixels_that_cannot_be_decoded_are_refused(decoder: ImageDecoder, name: str) -> None:
    with pytest.raises(UnreadableReference) as raised:
        decoder.cleaned(_decode_bombs()[name], field="reference 1")
    assert raised.value.field == "reference 1"


@pytest.mark.trust
def test_the_decoder_outlives_forty_bombs(decoder: ImageDecoder) -> None:
    survived = 0
    for make in BOMBS.values():
        with pytest.raises(UnreadableReference):
            decoder.thumbnail(make(), edge=512, field="image")
        decoder.check(picture("PNG"), field="image")
        survived += 1
    record("bombs: decodings that worked after each of forty", survived, "40", met=survived == 40)


def test_forty_nine_megapixels_are_decoded_and_sixty_are_refused(decoder: ImageDecoder) -> None:
    row = b"\0" + bytes(7_000 * 3)
    wide = png(chunk(b"IDAT", zlib.compress(row * 7_000)), width=7_000, height=7_000)
    assert opened(decoder.thumbnail(wide, edge=64, field="image")).size == (64, 64)
    start = time.perf_counter()
    with pytest.raises(UnreadableReference, match="60 megapixels"):
        decoder.check(png(chunk(b"IDAT", zlib.compress(row)), width=10_000, height=6_000), field="image")
    assert time.perf_counter() - start < 0.2


def test_a_thumbnail_keeps_shape_and_transparency(decoder: ImageDecoder) -> None:
    glass = noise(1_000, 500, "RGBA")
    glass.putalpha(100)
    content = encoded(glass, "PNG")
    small = opened(decoder.thumbnail(content, edge=512, field="image"))
    assert (small.format, small.size, small.mode) == ("WEBP", (512, 256), "RGBA")


def test_a_decoder_that_takes_too_long_is_ended_and_replaced() -> None:
    hasty = ImageDecoder(longest_s=0.01)
    with pytest.raises(UnreadableReference, match="too much time or memory"):
        hasty.check(picture("PNG", 2_000, 2_000), field="reference")
    hasty.close()
    patient = ImageDecoder()
    assert patient.check(picture("PNG"), field="reference").width == 48
    patient.close()


def test_a_child_that_died_between_jobs_is_replaced() -> None:
    decoder = ImageDecoder()
    decoder.check(picture("PNG"), field="reference")
    for child in decoder._all:
        child._process.kill()
        child._process.wait()
    assert decoder.check(picture("PNG"), field="reference").width == 48
    decoder.close()


def test_the_child_may_write_no_file_and_take_no_memory_beyond_its_share() -> None:
    script = (
        "from keeprate.safety import decoder; decoder._limit_once(); decoder._limit_cpu()\n"
        "import resource; print(*[resource.getrlimit(n)[0] for n in"
        " (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1500000000", "0", "0"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0


def test_a_job_says_all_the_child_needs() -> None:
    job = Job(task="check", format="PNG", width=1, height=1, bytes_count=0)
    assert (job.orientation, job.edge) == (1, 0)


def test_importing_the_door_loads_no_image_library() -> None:
    script = "import sys, keeprate.safety.decoding; print('PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_cleaned_references_hold_nothing_an_image_library_calls_metadata(decoder: ImageDecoder) -> None:
    content = picture("PNG", pnginfo=None, exif=_camera_exif(3), dpi=(300, 300))
    info = Image.open(io.BytesIO(decoder.cleaned(content, field="reference"))).info
    assert set(info) <= {"dpi", "icc_profile", "gamma", "srgb"}
