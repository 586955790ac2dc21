"""What every image store promises, whatever it keeps images in."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from keeprate.assets.local import LocalAssets
from keeprate.domain.errors import NotFound, UnreadableReference
from keeprate.safety.decoding import ImageDecoder
from keeprate.workflows.ports import Assets
from tests.unit.safety.bombs import BOMBS
from tests.unit.safety.pictures import FORMATS, opened, picture

MakeStore = Callable[[Path, ImageDecoder], Assets]
STORES: Mapping[str, MakeStore] = {
    "local files": lambda root, decoder: LocalAssets(root / "assets", decoder=decoder),
}


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def decoder() -> Iterator[ImageDecoder]:
    decoder = ImageDecoder()
    yield decoder
    decoder.close()


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, decoder: ImageDecoder) -> Assets:
    return STORES[request.param](tmp_path, decoder)


@pytest.mark.anyio
@pytest.mark.parametrize("image_format", FORMATS)
async def test_bytes_come_back_untouched_under_their_hash(store: Assets, image_format: str) -> None:
    content = picture(image_format)
    stored = await store.put("default", content)
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert (stored.width, stored.height, stored.bytes_count) == (48, 32, len(content))
    assert await store.read("default", stored.sha256) == content
    assert stored.path.read_bytes() == content
    assert store.find("default", stored.sha256) == stored


@pytest.mark.anyio
async def test_the_name_is_by_content(store: Assets) -> None:
    stored = [await store.put("default", picture(image_format)) for image_format in FORMATS]
    assert [(image.mime, image.extension, image.path.suffix) for image in stored] == [
        ("image/png", "png", ".png"),
        ("image/jpeg", "jpg", ".jpg"),
        ("image/webp", "webp", ".webp"),
    ]


@pytest.mark.anyio
async def test_storing_an_image_twice_is_storing_it_once(store: Assets) -> None:
    content = picture("PNG")
    first = await store.put("default", content)
    modified = first.path.stat().st_mtime_ns
    again = await asyncio.gather(*(store.put("default", content) for _ in range(20)))
    assert {image.path for image in again} == {first.path}
    assert first.path.stat().st_mtime_ns == modified


@pytest.mark.anyio
async def test_a_workspace_does_not_see_the_images_of_another(store: Assets) -> None:
    stored = await store.put("client a", picture("PNG"))
    for other in ("client-a", "Client a", "default", "..", ""):
        assert store.find(other, stored.sha256) is None
        with pytest.raises(NotFound):
            await store.read(other, stored.sha256)
    assert store.find("client a", stored.sha256) == stored


@pytest.mark.anyio
@pytest.mark.parametrize("sha256", ["", "..", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
async def test_what_is_no_hash_names_no_image(store: Assets, sha256: str) -> None:
    assert store.find("default", sha256) is None
    with pytest.raises(NotFound):
        await store.read("default", sha256)


@pytest.mark.anyio
async def test_answers_built_to_do_harm_are_not_stored(store: Assets, tmp_path: Path) -> None:
    for make in BOMBS.values():
        with pytest.raises(UnreadableReference):
            await store.put("default", make())
    assert _files(tmp_path) == []


@pytest.mark.anyio
async def test_a_reference_is_stored_as_it_will_be_sent(store: Assets) -> None:
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    stored = await store.put_reference("default", picture("JPEG", exif=exif), field="reference 1")
    kept = await store.read("default", stored.sha256)
    assert (stored.width, stored.height) == opened(kept).size == (32, 48)
    assert b"Exif" not in kept


@pytest.mark.anyio
async def test_a_reference_that_cannot_be_read_names_its_field(store: Assets) -> None:
    with pytest.raises(UnreadableReference) as raised:
        await store.put_reference("default", b"GIF89a", field="reference 3")
    assert raised.value.field == "reference 3"
