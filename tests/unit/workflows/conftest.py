"""An open home for each test of the verbs."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.workflows.house import House, open_house


@pytest.fixture
async def house(tmp_path: Path, anyio_backend: str) -> AsyncIterator[House]:
    async with open_house(tmp_path / "home") as opened:
        yield opened
