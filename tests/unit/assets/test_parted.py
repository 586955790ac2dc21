"""Replies in parts: whatever comes, in whatever slices, the same bytes can be told again."""

import base64
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from keeprate.assets.local import LocalAssets
from keeprate.assets.spool import DiskSpool
from keeprate.domain.errors import Conflict
from keeprate.safety.decoding import ImageDecoder
from keeprate.testing.answers import png
from keeprate.workflows.forwarding import Spooled
from tests.trust_counts import count

PNG = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(200_000)
JPEG = b"\xff\xd8\xff" + random.Random(2).randbytes(1_000)


def reply(encode: Callable[[bytes], bytes] = base64.b64encode, behind: bytes = b"") -> bytes:
    words = rb'{"text":"\"data\": \"iVBORw0KGgoAAA\"","parts":[{"inlineData":{"data": "'
    return words + encode(PNG) + behind + b'"}},{"inlineData":{"data":"' + encode(JPEG) + b'"},"s":"c2ln"}]}'


SHAPES = {
    "standard base64": (reply(), 2),
    "URL-safe base64": (reply(base64.urlsafe_b64encode), 0),
    "no padding": (reply(lambda content: base64.b64encode(content).rstrip(b"=")), 0),
    "not base64 at the end": (reply(behind=b"=*!"), 1),
    "cut in the image": (reply()[:150_000], 0),
    "escaped slashes": (reply().replace(b"/", rb"\/"), 0),
    "no image": (b'{"candidates":[]}', 0),
    "nothing": (b"", 0),
    "words that look like a part": (b'{"data":"' + base64.b64encode(b"keeprate part 0 sha256 x") + b'"}', 0),
}


def spooled(spool: DiskSpool, body: bytes, *, longest: int, seed: int = 0) -> Spooled:
    chance = random.Random(seed)
    into = spool.begin_parted("att_1")
    at = 0
    while at < len(body):
        size = chance.randint(1, longest) if seed else longest
        into.write(body[at : at + size])
        at += size
    return into.complete(content_type="application/json", served_tier="standard", request_id="r")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("longest", [65_536, 977])
def test_what_was_parted_is_put_together_byte_for_byte(shape: str, longest: int, tmp_path: Path) -> None:
    body, _ = SHAPES[shape]
    for seed in range(count("parted replies", 2, 50)):
        spool = DiskSpool(tmp_path / str(seed))
        spooled(spool, body, longest=longest, seed=seed)
        found = spool.find("att_1")
        assert found is not None
        assert found.body_path.read_bytes() == body
        assert (found.content_type, found.served_tier, found.request_id) == (
            "application/json",
            "standard",
            "r",
        )
        spool.discard("att_1")
        assert spool.waiting() == ()


@pytest.mark.parametrize("shape", ["standard base64", "not base64 at the end", "URL-safe base64"])
def test_images_are_taken_out_whole(shape: str, tmp_path: Path) -> None:
    body, images = SHAPES[shape]
    whole = spooled(DiskSpool(tmp_path), body, longest=65_536)
    contents = [draft.path.read_bytes() for draft in whole.drafts]
    assert len(contents) == images
    assert set(contents) <= {PNG, JPEG}
    text = whole.text_path.read_bytes()[: whole.text_bytes]
    assert all(base64.b64encode(draft.stand_in) in text for draft in whole.drafts)


def test_a_reply_that_was_broken_off_is_not_whole_but_is_kept(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    into = spool.begin_parted("att_1")
    body = reply()
    into.write(body[: len(body) - 4])
    into.abandon()
    assert spool.find("att_1") is None
    kept = spool.salvage("att_1")
    assert kept is not None
    assert kept.body_path.read_bytes() == body[:-4]


def test_nothing_that_came_leaves_nothing(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    spool.begin_parted("att_1").abandon()
    assert spool.waiting() == ()


def test_a_whole_reply_is_not_written_over(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    spooled(spool, reply(), longest=65_536)
    with pytest.raises(Conflict):
        spool.begin_parted("att_1")


def test_an_image_that_another_program_changed_is_not_taken_for_the_one_that_came(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    whole = spooled(spool, reply(), longest=65_536)
    whole.drafts[0].path.write_bytes(PNG[:-1] + b"x")
    assert spool.find("att_1") is None


def test_the_store_takes_an_image_over_without_copying_it(tmp_path: Path) -> None:
    picture = png(shade=7)
    body = b'{"data":"' + base64.b64encode(picture) + b'"}'
    spool, decoder = DiskSpool(tmp_path / "spool"), ImageDecoder()
    assets = LocalAssets(tmp_path / "assets", decoder=decoder)
    (draft,) = spooled(spool, body, longest=65_536).drafts
    stored = assets.adopt("default", draft)
    again = assets.adopt("default", draft)
    assert stored == again
    assert stored.path.read_bytes() == picture
    assert stored.path.stat().st_ino == draft.path.stat().st_ino
    spool.discard("att_1")
    assert stored.path.read_bytes() == picture
    decoder.close()
