"""References and conversations: what is sent is what is on record, and it finds its way back."""

import hashlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pybase64
import pytest

from keeprate.domain.errors import InvalidValue, NotFound, UnreadableReference
from keeprate.domain.outcomes import OutcomeKind
from keeprate.testing.answers import pictures, png, without_picture
from keeprate.workflows.conversation import folded, hashes_in, unfolded
from tests.unit.safety.pictures import picture
from tests.unit.workflows.house import ON_PRO, SCOPE, House

pytestmark = pytest.mark.anyio


def body(house: House) -> dict:
    return msgspec.json.decode(house.provider.sent[-1].body)


async def test_references_are_stored_sent_and_named_in_the_row(house: House, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(picture("JPEG"))
    result = await house.buy(references=(photo, picture("PNG")), roles=("character",))
    assert body(house)["references"] == 2
    assert [str(reference.role) for reference in result.request.references] == ["character", "object"]
    for reference in result.request.references:
        stored = await house.till.assets.read("default", reference.sha256)
        assert hashlib.sha256(stored).hexdigest() == reference.sha256


async def test_a_reference_that_is_none_is_refused_by_its_name(house: House, tmp_path: Path) -> None:
    missing, words = tmp_path / "missing.png", tmp_path / "words.png"
    words.write_text("not an image")
    for given, value in (
        (missing, str(missing)),
        (words, str(words)),
        (str(words), str(words)),
        (b"", "the bytes of reference 1"),
    ):
        with pytest.raises(UnreadableReference) as refusal:
            await house.buy(references=(given,))
        assert (refusal.value.field, refusal.value.value) == ("reference", value)
        assert refusal.value.remedy
    with pytest.raises(InvalidValue, match="'https://example\\.com/a\\.png' is an address") as address:
        await house.buy(references=("https://example.com/a.png",))
    assert address.value.field == "reference"
    assert house.sends == 0


async def test_a_conversation_goes_on_with_pictures_and_signatures_as_they_were(house: House) -> None:
    house.plays(pictures(png(shade=7)))
    first = (await house.buy("a red fox")).attempts[0]
    second = (await house.buy("make it blue", replace(ON_PRO, continues=first.id))).attempts[0]
    await house.buy("and larger", replace(ON_PRO, continues=second.id))
    turns = body(house)["history"]
    assert [turn["role"] for turn in turns] == ["user", "model", "user", "model"]
    assert [turn["parts"][0].get("text") for turn in turns[::2]] == ["a red fox", "make it blue"]
    part = turns[1]["parts"][0]
    assert part["thoughtSignature"] == "signature-0"
    assert pybase64.b64decode(part["inlineData"]["data"]) == png(shade=7)


async def test_an_edit_that_asks_for_no_ratio_is_told_nothing_of_pixels(house: House) -> None:
    first = (await house.buy("a red fox", ratio="4:3")).attempts[0]
    house.plays(pictures(png(1200, 896)), pictures(png(512, 512)))
    assert (await house.buy("make it blue", replace(ON_PRO, continues=first.id))).notices == ()
    asked = replace(ON_PRO, continues=first.id, ratio="1:1")
    assert (await house.buy("and square", asked)).notices == ("asked for 1024x1024 pixels, got 512x512",)


async def test_a_kept_turn_holds_no_picture_twice(house: House) -> None:
    row = (await house.buy()).attempts[0]
    turn = await house.till.turns.load("default", row.id)
    assert turn is not None
    assert len(turn) < 400
    assert hashes_in(turn) == row.image_sha256s


async def test_only_an_attempt_that_brought_an_image_can_be_continued(house: House) -> None:
    house.plays(without_picture(OutcomeKind.BLOCKED, "SAFETY"))
    blocked = (await house.buy()).attempts[0]
    sends = house.sends
    with pytest.raises(InvalidValue, match="no image to go on from"):
        await house.buy("more", replace(ON_PRO, continues=blocked.id))
    with pytest.raises(NotFound):
        await house.buy("more", replace(ON_PRO, continues="att_none"))
    assert house.sends == sends


@pytest.mark.parametrize("spelling", ["standard", "urlsafe", "unpadded"])
def test_folding_a_turn_and_unfolding_it_gives_the_same_bytes(spelling: str) -> None:
    content = b"\xfb\xff\xfe\x00picture"
    data = pybase64.b64encode(content).decode()
    spelled = {
        "standard": data,
        "urlsafe": data.replace("+", "-").replace("/", "_"),
        "unpadded": data.rstrip("="),
    }[spelling]
    sha256 = hashlib.sha256(content).hexdigest()
    turn = msgspec.json.encode(
        {"parts": [{"inlineData": {"mimeType": "image/png", "data": spelled}, "sig": "s"}]}
    )
    kept = folded(turn, frozenset({sha256}))
    assert hashes_in(kept) == (sha256,)
    assert spelled.encode() not in kept
    back = msgspec.json.decode(unfolded(kept, {sha256: content}.__getitem__))
    assert back["parts"][0] == {"inlineData": {"mimeType": "image/png", "data": data}, "sig": "s"}


@pytest.mark.parametrize("data", ["no base64!", 7, None, "QUJD"])
def test_data_that_is_no_stored_image_stays_as_it_came(data: object) -> None:
    turn = msgspec.json.encode({"parts": [{"inline_data": {"data": data}}, {"text": "hello"}]})
    assert msgspec.json.decode(folded(turn, frozenset())) == msgspec.json.decode(turn)
    assert hashes_in(turn) == ()


async def test_the_lineage_of_a_continued_image_is_told(house: House) -> None:
    first = (await house.buy("a red fox")).attempts[0]
    result = await house.buy("make it blue", replace(ON_PRO, continues=first.id))
    from keeprate.workflows.whence import whence

    origin = await whence(house.means, SCOPE, result.image().path)
    assert [row.id for row in origin.lineage] == [first.id]
