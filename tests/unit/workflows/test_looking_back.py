"""Where a file came from, what a verdict says of it, and what a result shows."""

import hashlib
import io
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from keeprate.assets.export import FileKeeper
from keeprate.domain.errors import InvalidValue, NoImage, NotFound
from keeprate.domain.outcomes import Outcome, OutcomeKind
from keeprate.domain.verdicts import VerdictKind
from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.provenance import embed, read_packet
from keeprate.testing.answers import busy, lost, pictures, png, without_picture
from keeprate.workflows.options import Options
from keeprate.workflows.results import overall, remedy_for
from keeprate.workflows.route import route
from keeprate.workflows.verdicts import Ruling, judge
from keeprate.workflows.whence import whence
from tests.unit.workflows.house import ON_PRO, SCOPE, House, open_house

pytestmark = pytest.mark.anyio


async def test_a_kept_file_tells_prompt_model_price_and_verdict(house: House, tmp_path: Path) -> None:
    result = await house.buy("a red fox", replace(ON_PRO, output=tmp_path / "fox.png"))
    row = result.attempts[0]
    await judge(house.means, SCOPE, row.id, Ruling(kind=VerdictKind.ACCEPTED, reason="sharp"))
    origin = await whence(house.means, SCOPE, tmp_path / "fox.png")
    assert (origin.attempt.id, origin.request.prompt) == (row.id, "a red fox")
    assert origin.price is not None
    assert origin.price == house.means.price_of(row.new)(row.new.route.model)
    assert [verdict.reason for verdict in origin.verdicts] == ["sharp"]


async def test_the_price_told_is_the_one_booked_by_whatever_the_facts_say_later(house: House) -> None:
    row = (await house.buy()).attempts[0]
    kept = await house.ledger.price_used(SCOPE, row.new.price_id)
    before = await whence(house.means, SCOPE, house.till.assets.find("default", row.image_sha256s[0]).path)
    house.means = replace(house.means, book=None)  # type: ignore[arg-type]
    after = await whence(house.means, SCOPE, house.till.assets.find("default", row.image_sha256s[0]).path)
    assert after.price == before.price
    assert msgspec.json.encode(after.price).decode() == kept


async def test_a_file_that_only_claims_is_not_taken_at_its_word(house: House, tmp_path: Path) -> None:
    result = await house.buy(output=tmp_path / "fox.png")
    true = await whence(house.means, SCOPE, tmp_path / "fox.png")
    assert (true.proven, true.image_sha256) == (True, result.image().sha256)
    packet = read_packet((tmp_path / "fox.png").read_bytes())
    assert packet is not None
    forged = embed(png(64, 64), packet)
    assert forged is not None
    (tmp_path / "forged.png").write_bytes(forged)
    claimed = await whence(house.means, SCOPE, tmp_path / "forged.png")
    assert (claimed.proven, claimed.attempt.id) == (False, true.attempt.id)
    assert claimed.file_sha256 == hashlib.sha256(forged).hexdigest() != claimed.image_sha256
    assert claimed.image_sha256 == true.image_sha256


async def test_a_file_in_another_format_is_known_by_its_pixels(house: House, tmp_path: Path) -> None:
    came = io.BytesIO()
    Image.effect_noise((64, 48), 80).convert("RGB").save(came, "JPEG")
    house.plays(pictures(came.getvalue()))
    with closing(ImageDecoder()) as decoder:
        house.means = replace(house.means, keeper=FileKeeper(decoder))
        result = await house.buy(output=tmp_path / "fox.png")
        assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")
        origin = await whence(house.means, SCOPE, tmp_path / "fox.png")
        assert (origin.proven, origin.how, origin.image_sha256) == (True, "pixels", result.image().sha256)
        packet = read_packet((tmp_path / "fox.png").read_bytes())
        assert packet is not None
        forged = embed(png(64, 48), packet)
        assert forged is not None
        (tmp_path / "forged.png").write_bytes(forged)
        assert not (await whence(house.means, SCOPE, tmp_path / "forged.png")).proven


async def test_a_result_tells_its_charge_in_dollars_too(house: House) -> None:
    house.plays(pictures(png()))
    result = await house.buy()
    assert (result.charge, result.charge_usd) == (134_900_000, "0.1349")


async def test_equal_bytes_from_two_attempts_name_both(house: House) -> None:
    house.plays(pictures(png()), pictures(png()))
    first, second = (await house.buy()).attempts[0], (await house.buy()).attempts[0]
    origin = await whence(house.means, SCOPE, house.till.assets.find("default", first.image_sha256s[0]).path)
    assert {origin.attempt.id, *origin.others} == {first.id, second.id}


async def test_a_stranger_is_told_apart(house: House, tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(png(64, 64))
    with pytest.raises(NotFound) as refusal:
        await whence(house.means, SCOPE, tmp_path / "mine.png")
    assert refusal.value.remedy


async def test_only_what_came_can_be_judged(house: House) -> None:
    house.plays(pictures(png()), without_picture(OutcomeKind.BLOCKED, "SAFETY"))
    good, blocked = (await house.buy()).attempts[0], (await house.buy()).attempts[0]
    accepted = Ruling(kind=VerdictKind.ACCEPTED)
    assert (await judge(house.means, SCOPE, good.id, accepted)).image_sha256 == good.image_sha256s[0]
    for attempt_id, ruling in (
        (blocked.id, accepted),
        (good.id, replace(accepted, image="0" * 64)),
        (good.id, replace(accepted, cleanup_minutes=-1)),
    ):
        with pytest.raises(InvalidValue) as refusal:
            await judge(house.means, SCOPE, attempt_id, ruling)
        assert refusal.value.remedy
    with pytest.raises(NotFound):
        await judge(house.means, SCOPE, "att_none", accepted)


async def test_several_variants_get_numbered_files(house: House, tmp_path: Path) -> None:
    result = await house.buy(variants=3, output=tmp_path / "fox.png")
    assert [path.name for path in result.files] == ["fox-1.png", "fox-2.png", "fox-3.png"]
    assert len({path.read_bytes() for path in result.files}) == 3


async def test_a_result_names_the_attempt_that_brought_its_file(house: House) -> None:
    house.plays(pictures(png()), without_picture(OutcomeKind.BLOCKED, "SAFETY"))
    result = await house.buy(variants=2)
    told = result.as_json()
    assert told["sha256"] == result.images[0].sha256
    brought = next(row for row in result.attempts if row.image_sha256s)
    assert (told["attempt_id"], told["outcome"]) == (brought.id, "image")
    assert result.is_partial


async def test_a_result_without_an_image_says_so_when_one_is_wanted(house: House) -> None:
    house.plays(lost())
    result = await house.buy()
    with pytest.raises(NoImage) as refusal:
        result.image()
    assert result.attempts[0].id in str(refusal.value.remedy)
    assert result.as_json()["held_usd"] != "0"
    assert result._repr_png_() is None


async def test_an_image_shows_itself_in_a_notebook(house: House) -> None:
    house.plays(pictures(png()))
    result = await house.buy()
    assert result._repr_png_() == png()
    assert result._repr_jpeg_() is None


async def test_what_a_result_shows_is_plain_json(house: House) -> None:
    house.plays(busy(), pictures(png()))
    told = msgspec.json.decode(msgspec.json.encode((await house.buy()).as_json()))
    assert [row["state"] for row in told["attempts"]] == ["failed", "image"]
    assert told["decision"]["model"] == told["model"] == "gemini-3-pro-image"


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_every_outcome_has_something_to_do(kind: OutcomeKind) -> None:
    assert remedy_for(Outcome(kind=kind), ())


def test_nothing_attempted_is_no_silent_success() -> None:
    assert overall(()).kind is OutcomeKind.FAILED


@pytest.mark.parametrize(
    ("supposed", "field"),
    [
        ({"budget_used": 89.9}, "budget_used"),
        ({"budget_used": -1}, "budget_used"),
        ({"budget_used": 101}, "budget_used"),
        ({"reference_count": -1}, "references"),
        ({"reference_count": 0.5}, "references"),
    ],
)
async def test_a_route_is_supposed_in_whole_numbers(
    house: House, supposed: dict[str, int], field: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        await route(house.means, SCOPE, None, Options(), **supposed)
    assert refusal.value.field == field


async def test_the_guard_waits_for_ninety_per_cent(house: House) -> None:
    """Spent so far by hand: $0.1349. Of a cap of which that is 89.9 %, nothing is tight yet."""
    house.plays(pictures(png()))
    spent = (await house.buy()).charge
    asked = Options(purpose="character_lock", policy="six-model")
    for limit, is_tight in ((1000 * spent // 899, False), (10 * spent // 9, True)):
        await house.cap(limit)
        reason = (await route(house.means, SCOPE, None, asked)).decision.reason
        assert ("90 %" in reason) is is_tight, reason


async def test_looking_at_a_route_holds_and_sends_nothing(tmp_path: Path) -> None:
    async with open_house(tmp_path, simulated=False) as house:
        view = await route(house.means, SCOPE, None, Options(purpose="hero"), reference_count=2)
        told = msgspec.json.decode(msgspec.json.encode(view.as_json()))
        assert told["payload"]["references"] == 2
        assert told["quote"]["worst_usd"]
        assert await house.rows() == []
        assert house.sends == 0
