import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keeprate.assets.local import LocalAssets
from keeprate.domain.errors import StorageError
from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.failpoints import arm
from tests.unit.safety.pictures import picture


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.fixture
def assets(tmp_path: Path) -> Iterator[LocalAssets]:
    decoder = ImageDecoder()
    yield LocalAssets(tmp_path / "assets", decoder=decoder)
    arm("")
    decoder.close()


@pytest.mark.anyio
async def test_images_lie_by_workspace_and_hash(assets: LocalAssets, tmp_path: Path) -> None:
    stored = await assets.put("default", picture("PNG"))
    assert stored.path == tmp_path / "assets" / "default" / stored.sha256[:2] / f"{stored.sha256}.png"
    assert _files(tmp_path) == [stored.path]


@pytest.mark.anyio
async def test_an_image_changed_on_disk_is_not_handed_out(assets: LocalAssets) -> None:
    stored = await assets.put("default", picture("PNG"))
    stored.path.write_bytes(picture("PNG", 20, 20))
    with pytest.raises(StorageError, match="is not the image that was stored"):
        await assets.read("default", stored.sha256)


@pytest.mark.anyio
@pytest.mark.parametrize("action", ["enospc", "eio"])
@pytest.mark.parametrize("site", ["assets.put.before", "paths.write.half", "paths.write.synced"])
async def test_a_failing_disk_leaves_no_image_and_can_be_tried_again(
    assets: LocalAssets, tmp_path: Path, site: str, action: str
) -> None:
    arm(f"{site}:{action}")
    content = picture("PNG")
    with pytest.raises(StorageError):
        await assets.put("default", content)
    assert _files(tmp_path) == []
    assert (await assets.put("default", content)).path.read_bytes() == content


@pytest.mark.anyio
async def test_drafts_of_dead_writers_are_swept_and_images_stay(assets: LocalAssets) -> None:
    stored = await assets.put("default", picture("PNG"))
    draft = stored.path.with_name(".tmp-0123")
    draft.write_bytes(b"half")
    long_ago = datetime(2026, 4, 1, tzinfo=UTC).timestamp()
    for path in (draft, stored.path):
        os.utime(path, (long_ago, long_ago))
    assert assets.sweep(datetime(2026, 4, 2, tzinfo=UTC)) == 1
    assert not draft.exists()
    assert stored.path.exists()
