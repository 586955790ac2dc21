import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeprate.safety.images import read_header
from keeprate.safety.provenance import embed, read_packet, without_packet
from keeprate.safety.xmp import LARGEST_PACKET, NAMESPACE, Packet, parsed, written
from tests.unit.safety.pictures import chunk, encoded, noise, opened, picture, segment

PICTURES = {
    "PNG": picture("PNG"),
    "PNG with a palette": encoded(noise(30, 30, "P"), "PNG"),
    "PNG with trailing bytes": picture("PNG") + b"more",
    "JPEG": picture("JPEG"),
    "JPEG with EXIF": picture("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    "JPEG with trailing bytes": picture("JPEG") + b"more",
    "WebP": picture("WEBP"),
    "lossless WebP": picture("WEBP", lossless=True),
    "lossless WebP with transparency": encoded(noise(33, 31, "RGBA"), "WEBP", lossless=True),
    "extended WebP": picture("WEBP", icc_profile=b"profile" * 31),
    "WebP with trailing bytes": picture("WEBP") + b"more",
}


def packet(**changed: object) -> Packet:
    facts: dict[str, object] = {
        "attempt_id": "0f" * 16,
        "image_sha256": "ab" * 32,
        "simulated": True,
        "source_type": "algorithmicMedia",
        "prompt": "A poster that says 'GRAND OPENING' in red",
        "facts": {"Model": "gemini-3-pro-image", "ChargeUsd": "0.134"},
    }
    return Packet(**{**facts, **changed})


@pytest.mark.parametrize("name", PICTURES)
def test_the_story_goes_in_and_comes_out_byte_for_byte(name: str) -> None:
    content = PICTURES[name]
    marked = embed(content, packet())
    assert marked is not None
    assert marked != content
    assert without_packet(marked) == content
    found = read_packet(marked)
    assert found is not None
    assert (found.attempt_id, found.prompt, found.simulated) == ("0f" * 16, packet().prompt, True)
    assert found.facts == packet().facts
    read_header(marked, field="file")
    assert opened(marked).tobytes() == opened(content).tobytes()


@pytest.mark.parametrize("name", PICTURES)
def test_an_image_library_finds_the_packet_where_the_format_keeps_it(name: str) -> None:
    marked = embed(PICTURES[name], packet())
    assert marked is not None
    xmp = opened(marked).info["xmp"]
    assert b"Iptc4xmpExt:DigitalSourceType" in xmp
    assert b"http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia" in xmp


@pytest.mark.parametrize("name", PICTURES)
def test_a_file_is_marked_once(name: str) -> None:
    marked = embed(PICTURES[name], packet())
    assert marked is not None
    assert embed(marked, packet(attempt_id="other")) is None


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(PICTURES)), prompt=st.text(max_size=400))
def test_any_prompt_survives_the_round_trip(name: str, prompt: str) -> None:
    content = PICTURES[name]
    marked = embed(content, packet(prompt=prompt))
    assert marked is not None
    assert without_packet(marked) == content
    found = read_packet(marked)
    assert found is not None
    if all(letter.isprintable() or letter in "\n\r\t" for letter in prompt):
        assert found.prompt == prompt


def test_what_xml_cannot_say_becomes_the_replacement_character() -> None:
    found = parsed(written(packet(prompt="bell \x07, null \0, half a pair \ud800, end \uffff")))
    assert found is not None
    assert found.prompt == "bell \ufffd, null \ufffd, half a pair \ufffd, end \ufffd"


def test_a_prompt_too_long_for_a_jpeg_stays_out_of_it() -> None:
    content = picture("JPEG")
    marked = embed(content, packet(prompt="word " * 20_000))
    assert marked is not None
    found = read_packet(marked)
    assert found is not None
    assert found.prompt is None
    assert found.attempt_id == "0f" * 16
    assert without_packet(marked) == content


SIGNED = {
    "a PNG with a C2PA manifest": PICTURES["PNG"][:33] + chunk(b"caBX", b"jumb") + PICTURES["PNG"][33:],
    "a JPEG with a C2PA manifest": PICTURES["JPEG"][:2] + segment(0xEB, b"JP\0\1jumb") + PICTURES["JPEG"][2:],
    "a PNG with XMP of its maker's": PICTURES["PNG"][:33]
    + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>")
    + PICTURES["PNG"][33:],
    "a JPEG with XMP of its maker's": picture("JPEG", xmp=b"<x:xmpmeta/>"),
    "a WebP with XMP of its maker's": picture("WEBP", xmp=b"<x:xmpmeta/>"),
    "no image": b"<svg/>",
}


@pytest.mark.parametrize("name", SIGNED)
def test_credentials_and_packets_of_others_are_left_alone(name: str) -> None:
    content = SIGNED[name]
    assert embed(content, packet()) is None
    assert read_packet(content) is None
    assert without_packet(content) == content


def _laughs(depth: int) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(depth))
    return (
        f"<!DOCTYPE x [{entities}]><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        f"xmlns:k='{NAMESPACE}'><rdf:Description k:Attempt='&l{depth - 1};' k:ImageSha256='x'/></rdf:RDF>"
    ).encode()


@pytest.mark.parametrize(
    "text",
    [
        _laughs(10),
        b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x>" + NAMESPACE.encode() + b"</x>",
        NAMESPACE.encode() + b" is no XML",
        b"<x " + NAMESPACE.encode(),
        b"<a>" * 100_000 + NAMESPACE.encode(),
        b"\xff\xfe" + NAMESPACE.encode(),
        b"",
    ],
)
def test_hostile_packets_are_read_as_nothing(text: bytes) -> None:
    assert parsed(text) is None


def test_a_packet_beyond_all_measure_is_not_read() -> None:
    assert parsed(written(packet(prompt="x" * LARGEST_PACKET))) is None


def test_a_packet_without_an_attempt_is_not_ours() -> None:
    assert parsed(written(packet()).replace(b"keeprate:Attempt", b"keeprate:Attempted")) is None


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(PICTURES)), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_damaged_files_are_read_without_a_fault(name: str, at: int, noise_bytes: bytes) -> None:
    marked = embed(PICTURES[name], packet()) or b""
    at %= len(marked)
    damaged = marked[:at] + noise_bytes + marked[at + len(noise_bytes) :]
    read_packet(damaged)
    without_packet(damaged)


def test_the_frame_of_a_webp_still_tells_its_length() -> None:
    marked = embed(PICTURES["WebP"], packet())
    assert marked is not None
    assert struct.unpack_from("<I", marked, 4)[0] == len(marked) - 8
