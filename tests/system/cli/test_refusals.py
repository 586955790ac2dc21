"""A request that cannot be served: a short error with field, value and remedy, and no call upstream."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from tests.system.cli.conftest import Shell

GENERATE = ("generate", "a lamp")


def _png_header(width: int, height: int) -> bytes:
    """A PNG that claims `width` × `height` and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 4096)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("arguments", "field", "value", "word"),
    [
        ((*GENERATE, "--size", "8K"), "size", "8K", "4K"),
        ((*GENERATE, "--ratio", "7:3"), "ratio", "7:3", "16:9"),
        ((*GENERATE, "--ratio", "wide"), "ratio", "wide", "16:9"),
        ((*GENERATE, "--purpose", "wallpaper"), "purpose", "wallpaper", "hero"),
        ((*GENERATE, "--model", "imagen-4.0-generate-001"), "model", "imagen-4.0-generate-001", "$"),
        ((*GENERATE, "--model", "gemini-3-pro"), "model", "gemini-3-pro", "gemini-3-pro-image"),
        ((*GENERATE, "--model", "dall-e"), "model", "dall-e", "keeprate models"),
        (("generate", "  "), "prompt", "  ", "draw"),
        (("generate",), "prompt", "", "draw"),
        ((*GENERATE, "--variants", "0"), "variants", 0, "from 1 to 1000"),
        ((*GENERATE, "--policy", "best"), "policy", "best", "flash-first"),
        ((*GENERATE, "--lane", "night"), "lane", "night", "batch"),
        ((*GENERATE, "--failure-cost", "a lot"), "failure_cost", "a lot", "0.134"),
        ((*GENERATE, "--deadline", "soon"), "deadline", "soon", "24h"),
        ((*GENERATE, "--thinking", "hard"), "thinking", "hard", "high"),
        ((*GENERATE, "--reference", "nowhere.png"), "reference", "nowhere.png", ""),
        ((*GENERATE, "--text", "short", "--text-heavy"), "text", "short", "one of the two"),
        ((*GENERATE, "--as-of", "tomorrow"), "as_of", "tomorrow", "2026-04-15"),
        ((*GENERATE, "--as-of", "2025-01-01"), "as_of", "2025-01-01", "2026-04-01"),
        ((*GENERATE, "--upstream", "nope"), "upstream", "nope", "use one of: emulator"),
        (("route", "--upstream", "nope", "--model", "gemini-3-pro-image"), "upstream", "nope", "emulator"),
        (("edit", "greener"), "reference", None, "references"),
        (("edit", "greener", "--continue", "att_0"), "attempt_id", "att_0", "keeprate attempts"),
        (("reconcile", "att_0"), "billed", None, "one of the two"),
        (("verdict", "att_0", "nice"), "kind", "nice", "accepted"),
        (("whence", "nowhere.png"), "file", "nowhere.png", "name"),
        (("budget", "set", "week", "1"), "window", "week", "month"),
        (("estimate", "--mix", "mine"), "mix", "mine", "six-model-blend"),
        (("estimate",), "model", None, "exactly one"),
        (("models", "record", "nobody"), "upstream", "nobody", "emulator"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_field_is_named_with_its_value_and_a_remedy(
    arguments: tuple[str, ...], field: str, value: object, word: str, shell: Shell
) -> None:
    before = shell.accepted
    ran = shell(*arguments, "--json")
    assert ran.code == 2
    assert (ran.error["field"], ran.error["value"]) == (field, value)
    assert word in ran.error["remedy"]
    assert len(ran.error["message"]) < 300
    assert shell.accepted == before


def test_too_many_references_are_counted_before_anything_is_sent(shell: Shell) -> None:
    for number in range(15):
        Image.new("RGB", (64, 64), (number, 0, 0)).save(f"{number}.png")
    ran = shell("edit", "a group photo", "--reference", *(f"{number}.png" for number in range(15)), "--json")
    assert ran.code == 2
    assert (ran.error["field"], ran.error["value"]) == ("references", 15)
    assert ran.error["remedy"]
    assert shell.accepted == 0 or shell("attempts", "--json").document == {"attempts": []}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", _png_header(10_000, 6_000)),
        ("torn.png", _png_header(64, 64)[:30]),
        ("words.png", b"this is no picture"),
        ("empty.png", b""),
    ],
)
def test_a_reference_that_cannot_be_used_is_refused_unopened(name: str, content: bytes, shell: Shell) -> None:
    Path(name).write_bytes(content)
    before = shell.accepted
    ran = shell("edit", "greener", "--reference", name, "--json")
    assert ran.code == 2
    assert ran.error["code"] == "unreadable_reference"
    assert name in f"{ran.error['field']} {ran.error['value']} {ran.error['message']}"
    assert ran.error["remedy"]
    assert shell.accepted == before


def test_a_budget_that_is_used_up_refuses_before_sending(shell: Shell) -> None:
    shell("budget", "set", "day", "0.01")
    before = shell.accepted
    ran = shell(*GENERATE, "--json")
    assert ran.code == 4
    assert ran.error["code"] == "budget_exceeded"
    assert ran.error["field"]
    assert ran.error["remedy"]
    assert shell.accepted == before


def test_an_existing_file_is_refused_before_anything_is_bought(shell: Shell) -> None:
    Path("lamp.png").write_bytes(b"mine")
    before = shell.accepted
    ran = shell(*GENERATE, "-o", "lamp.png", "--json")
    assert (ran.code, ran.error["field"]) == (2, "output")
    assert Path("lamp.png").read_bytes() == b"mine"
    assert shell.accepted == before


def test_without_json_an_error_is_three_short_lines_on_standard_error(shell: Shell) -> None:
    ran = shell(*GENERATE, "--purpose", "wallpaper")
    assert ran.out == ""
    first, second, third = ran.err.splitlines()
    assert first == "error: purpose 'wallpaper' is not known"
    assert second == "  field: purpose = 'wallpaper'"
    assert third.startswith("  try: use one of: draft, preview")
