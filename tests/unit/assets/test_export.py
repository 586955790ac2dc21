import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeprate.assets import sidecar
from keeprate.assets.export import FileKeeper
from keeprate.assets.local import LocalAssets
from keeprate.assets.thumbnails import EDGE, Thumbnails
from keeprate.assets.turns import DiskTurns
from keeprate.domain.errors import InvalidValue, StorageError, UnreadableReference
from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.failpoints import arm
from keeprate.workflows.kept import KeptFile
from keeprate.workflows.ports import StoredImage
from tests.trust_counts import count, record
from tests.unit.assets.stories import story_of
from tests.unit.safety.pictures import FORMATS, chunk, opened, picture

KEEPER = FileKeeper()
PROMPT = "A poster that says 'GRAND OPENING' in red"


@pytest.fixture
def decoder() -> Iterator[ImageDecoder]:
    decoder = ImageDecoder()
    yield decoder
    arm("")
    decoder.close()


@pytest.fixture
def assets(tmp_path: Path, decoder: ImageDecoder) -> LocalAssets:
    return LocalAssets(tmp_path / "assets", decoder=decoder)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder of the user's."""
    desk = tmp_path / "desk"
    desk.mkdir()
    return desk


async def _kept(
    image: StoredImage, target: Path, *, overwrite: bool = False, prompt_in_file: bool = True
) -> KeptFile:
    return await KEEPER.keep(
        image, target, story_of(image), overwrite=overwrite, prompt_in_file=prompt_in_file
    )


@pytest.mark.anyio
@pytest.mark.parametrize("image_format", ["JPEG", "WEBP"])
async def test_a_png_that_was_asked_for_holds_the_pixels_of_what_came(
    assets: LocalAssets, decoder: ImageDecoder, desk: Path, image_format: str
) -> None:
    content = picture(image_format)
    image = await assets.put("default", content)
    kept = await FileKeeper(decoder).keep(
        image, desk / "poster.png", story_of(image), overwrite=False, prompt_in_file=True
    )
    assert kept.path.name == "poster.png"
    shown = opened(kept.path.read_bytes())
    assert shown.format == "PNG"
    assert shown.convert("RGB").tobytes() == opened(content).convert("RGB").tobytes()
    assert image.mime in kept.notices[0]
    assert (await assets.read("default", image.sha256)) == content
    assert (await KEEPER.trace(kept.path)).attempt_id == story_of(image).attempt_id


@pytest.mark.anyio
@pytest.mark.parametrize("image_format", FORMATS)
async def test_a_kept_file_explains_itself_and_leads_back_to_its_image(
    assets: LocalAssets, desk: Path, image_format: str
) -> None:
    content = picture(image_format)
    image = await assets.put("default", content)
    kept = await _kept(image, desk / f"poster.{image.extension}")
    assert kept.notices == ()
    shown = opened(kept.path.read_bytes())
    assert shown.tobytes() == opened(content).tobytes()
    assert b"DigitalSourceType" in shown.info["xmp"]
    assert hashlib.sha256(kept.path.read_bytes()).hexdigest() == kept.sha256

    trace = await KEEPER.trace(kept.path)
    assert (trace.sha256, trace.untouched_sha256) == (kept.sha256, image.sha256)
    assert trace.attempt_id == story_of(image).attempt_id

    beside = sidecar.parsed(kept.sidecar.read_bytes())
    assert beside is not None
    assert beside.provenance == story_of(image)
    assert (beside.file, beside.sha256) == (kept.path.name, kept.sha256)


@pytest.mark.anyio
async def test_the_sidecar_is_readable_without_keeprate(assets: LocalAssets, desk: Path) -> None:
    kept = await _kept(await assets.put("default", picture("PNG")), desk / "poster.png")
    assert kept.sidecar.name == "poster.png.json"
    page = json.loads(kept.sidecar.read_text("utf-8"))
    assert page["keeprate_sidecar"] == 1
    story = page["provenance"]
    assert (story["prompt"], story["model"], story["charge_usd"]) == (PROMPT, "gemini-3-pro-image", "0.134")
    assert story["simulated"] is True
    assert story["verdicts"][0]["kind"] == "accepted"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wanted", "image_format", "called"),
    [
        ("poster.png", "JPEG", "poster.jpg"),
        ("poster.jpg", "PNG", "poster.png"),
        ("poster.gif", "WEBP", "poster.webp"),
        ("poster", "PNG", "poster.png"),
        ("poster.v2", "PNG", "poster.v2.png"),
        ("poster.JPEG", "JPEG", "poster.JPEG"),
    ],
)
async def test_a_file_is_named_for_what_it_is(
    assets: LocalAssets, desk: Path, wanted: str, image_format: str, called: str
) -> None:
    kept = await _kept(await assets.put("default", picture(image_format)), desk / wanted)
    assert kept.path == desk / called
    assert bool(kept.notices) == (wanted != called)


@pytest.mark.anyio
async def test_a_folder_gets_a_file_named_for_its_image(assets: LocalAssets, desk: Path) -> None:
    image = await assets.put("default", picture("PNG"))
    kept = await _kept(image, desk)
    assert kept.path == desk / f"keeprate-{image.sha256[:16]}.png"


@pytest.mark.anyio
@pytest.mark.parametrize("image_format", FORMATS)
async def test_a_prompt_kept_private_is_in_no_file(
    assets: LocalAssets, desk: Path, image_format: str
) -> None:
    image = await assets.put("default", picture(image_format))
    kept = await _kept(image, desk / "poster", prompt_in_file=False)
    for path in (kept.path, kept.sidecar):
        assert b"GRAND OPENING" not in path.read_bytes()
    assert story_of(image).prompt_sha256.encode() in kept.path.read_bytes()
    assert (await KEEPER.trace(kept.path)).untouched_sha256 == image.sha256


@pytest.mark.anyio
async def test_signed_credentials_are_left_as_they_came(assets: LocalAssets, desk: Path) -> None:
    plain = picture("PNG")
    signed = plain[:33] + chunk(b"caBX", b"jumb") + plain[33:]
    image = await assets.put("default", signed)
    kept = await _kept(image, desk / "poster.png")
    assert kept.path.read_bytes() == signed
    assert kept.sha256 == image.sha256
    assert "sidecar alone" in kept.notices[0]
    assert kept.sidecar.exists()


@pytest.mark.anyio
async def test_another_file_is_not_written_over_unless_asked(assets: LocalAssets, desk: Path) -> None:
    (desk / "poster.png").write_bytes(b"holiday")
    image = await assets.put("default", picture("PNG"))
    with pytest.raises(InvalidValue, match="is there already") as raised:
        await _kept(image, desk / "poster.png")
    assert raised.value.field == "output"
    assert (desk / "poster.png").read_bytes() == b"holiday"
    assert not (desk / "poster.png.json").exists()
    await _kept(image, desk / "poster.png", overwrite=True)
    assert opened((desk / "poster.png").read_bytes()).size == (48, 32)


@pytest.mark.anyio
async def test_a_json_file_of_the_users_is_not_written_over(assets: LocalAssets, desk: Path) -> None:
    (desk / "poster.png.json").write_text('{"mine": true}')
    image = await assets.put("default", picture("PNG"))
    with pytest.raises(InvalidValue, match=r"poster\.png\.json is there already"):
        await _kept(image, desk / "poster.png")
    assert not (desk / "poster.png").exists()


@pytest.mark.anyio
async def test_keeping_the_same_file_again_is_no_overwriting(assets: LocalAssets, desk: Path) -> None:
    image = await assets.put("default", picture("PNG"))
    first = await _kept(image, desk / "poster.png")
    assert await _kept(image, desk / "poster.png") == first


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("asked", "image_format"), [("fox.jpg", "PNG"), ("fox.webp", "PNG"), ("fox.png", "JPEG")]
)
async def test_leave_to_overwrite_holds_for_the_file_that_was_named_alone(
    assets: LocalAssets, desk: Path, asked: str, image_format: str
) -> None:
    image = await assets.put("default", picture(image_format))
    mine = desk / f"fox.{image.extension}"
    mine.write_text("nobody named me")
    (desk / asked).write_text("I was named")
    with pytest.raises(InvalidValue, match="is there already") as refusal:
        await _kept(image, desk / asked, overwrite=True)
    assert refusal.value.value == str(mine)
    assert mine.read_text() == "nobody named me"
    assert (desk / asked).read_text() == "I was named"
    mine.unlink()
    assert (await _kept(image, desk / asked, overwrite=True)).path == mine


@pytest.mark.anyio
@pytest.mark.parametrize("overwrite", [True, False])
async def test_a_link_at_the_place_is_not_followed(assets: LocalAssets, desk: Path, overwrite: bool) -> None:
    (desk / "victim").write_bytes(b"mine")
    (desk / "poster.png").symlink_to(desk / "victim")
    image = await assets.put("default", picture("PNG"))
    if overwrite:
        await _kept(image, desk / "poster.png", overwrite=True)
        assert not (desk / "poster.png").is_symlink()
    else:
        with pytest.raises(InvalidValue):
            await _kept(image, desk / "poster.png")
    assert (desk / "victim").read_bytes() == b"mine"


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["con.png", "a\0b.png", "x" * 300 + ".png", "what?.png"])
async def test_a_name_no_system_takes_is_refused(assets: LocalAssets, desk: Path, name: str) -> None:
    image = await assets.put("default", picture("PNG"))
    for use in (_kept(image, desk / name), KEEPER.check(desk / name, overwrite=True)):
        with pytest.raises(InvalidValue) as raised:
            await use
        assert raised.value.field == "output"


@pytest.mark.anyio
async def test_a_place_is_checked_before_anything_is_bought(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "there.png").write_bytes(b"holiday")
    (desk / "link.png").symlink_to(desk / "nowhere")
    for free in (desk, desk / "new.png", desk / "new"):
        await KEEPER.check(free, overwrite=False)
    for taken in ("there.png", "link.png"):
        with pytest.raises(InvalidValue, match="is there already"):
            await KEEPER.check(desk / taken, overwrite=False)
        await KEEPER.check(desk / taken, overwrite=True)
    with pytest.raises(InvalidValue, match="there is no folder"):
        await KEEPER.check(desk / "nowhere" / "new.png", overwrite=False)
    # The tests may run as root, whom no mode bits stop.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    with pytest.raises(InvalidValue, match="nothing may be written"):
        await KEEPER.check(desk / "new.png", overwrite=False)


@pytest.mark.anyio
async def test_a_missing_folder_is_refused(assets: LocalAssets, desk: Path) -> None:
    image = await assets.put("default", picture("PNG"))
    with pytest.raises(InvalidValue, match="there is no folder"):
        await _kept(image, desk / "nowhere" / "poster.png")


@pytest.mark.anyio
@pytest.mark.parametrize("site", ["assets.keep.before", "paths.write.half", "assets.keep.after_image"])
async def test_a_disk_that_fails_while_keeping_leaves_whole_files(
    assets: LocalAssets, desk: Path, site: str
) -> None:
    image = await assets.put("default", picture("PNG"))
    arm(f"{site}:enospc")
    with pytest.raises(StorageError):
        await _kept(image, desk / "poster.png")
    for path in (desk / "poster.png",):
        assert not path.exists() or opened(path.read_bytes()).size == (48, 32)
    kept = await _kept(image, desk / "poster.png")
    assert sidecar.parsed(kept.sidecar.read_bytes()) is not None


@pytest.mark.anyio
async def test_an_image_gone_from_the_store_is_said(assets: LocalAssets, desk: Path) -> None:
    image = await assets.put("default", picture("PNG"))
    image.path.unlink()
    with pytest.raises(StorageError, match="no longer in the store"):
        await _kept(image, desk / "poster.png")


@pytest.mark.anyio
async def test_a_file_of_somebody_elses_is_traced_by_its_hash_alone(desk: Path) -> None:
    (desk / "photo.png").write_bytes(picture("PNG"))
    trace = await KEEPER.trace(desk / "photo.png")
    assert trace.sha256 == trace.untouched_sha256
    assert trace.attempt_id is None


@pytest.mark.anyio
async def test_what_is_no_picture_cannot_be_traced(desk: Path) -> None:
    (desk / "note.txt").write_text("hello")
    for path in (desk / "note.txt", desk / "gone.png", desk):
        with pytest.raises(UnreadableReference) as raised:
            await KEEPER.trace(path)
        assert raised.value.field == "file"


def test_a_sidecar_of_a_later_version_is_not_guessed_at() -> None:
    assert sidecar.parsed(b'{"keeprate_sidecar": 2}') is None
    assert sidecar.parsed(b"[]") is None
    assert sidecar.parsed(b"\xff\xfe") is None


@pytest.mark.trust
@pytest.mark.anyio
async def test_every_file_explains_itself(assets: LocalAssets, desk: Path) -> None:
    files = count("explained-files", quick=60, full=1_000)
    explained, slowest_s = 0, 0.0
    for number in range(files):
        image = await assets.put(
            "default", picture(FORMATS[number % 3], 40 + number % 9, 30 + number // 9 % 9)
        )
        kept = await _kept(image, desk / f"{number}.png")
        start = time.perf_counter()
        trace = await KEEPER.trace(kept.path)
        slowest_s = max(slowest_s, time.perf_counter() - start)
        shown = opened(kept.path.read_bytes())
        beside = sidecar.parsed(kept.sidecar.read_bytes())
        explained += (
            kept.path.suffix == f".{image.extension}"
            and shown.size == (image.width, image.height)
            and b"DigitalSourceType" in shown.info["xmp"]
            and trace.untouched_sha256 == image.sha256
            and beside is not None
            and beside.provenance.image_sha256 == image.sha256
        )
    record("files that explain themselves", f"{explained}/{files}", "all", met=explained == files)
    record("tracing one file, slowest, ms", round(slowest_s * 1000, 1), "<= 100", met=slowest_s <= 0.1)
    assert explained == files


@pytest.mark.anyio
async def test_a_thumbnail_is_made_once(assets: LocalAssets, decoder: ImageDecoder, tmp_path: Path) -> None:
    image = await assets.put("default", picture("PNG", 1_200, 600))
    thumbnails = Thumbnails(tmp_path / "thumbnails", decoder=decoder)
    small = await thumbnails.of("default", image)
    assert (opened(small).format, opened(small).size) == ("WEBP", (EDGE, EDGE // 2))
    image.path.unlink()
    assert await thumbnails.of("default", image) == small


@pytest.mark.anyio
async def test_a_thumbnail_of_nothing_is_an_error(
    assets: LocalAssets, decoder: ImageDecoder, tmp_path: Path
) -> None:
    image = await assets.put("default", picture("PNG"))
    image.path.unlink()
    with pytest.raises(StorageError):
        await Thumbnails(tmp_path / "thumbnails", decoder=decoder).of("default", image)


@pytest.mark.anyio
async def test_turns_are_kept_per_workspace(tmp_path: Path) -> None:
    turns = DiskTurns(tmp_path / "turns")
    assert await turns.load("default", "a1") is None
    await turns.save("default", "a1", b'{"role": "model"}')
    await turns.save("default", "a1", b'{"role": "model", "parts": []}')
    assert await turns.load("default", "a1") == b'{"role": "model", "parts": []}'
    assert await turns.load("Default", "a1") is None
    assert await turns.load("default", "a2") is None
