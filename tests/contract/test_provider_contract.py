"""Every provider of ours, and the one printed in the manual, keeps the contract that plug-ins are held to."""

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest

from keeprate.domain.geometry import Size
from keeprate.domain.routes import GEMINI_API, OPENAI_COMPATIBLE, VERTEX, ModelId, Route, Surface, Upstream
from keeprate.providers.credentials import ApiKey
from keeprate.providers.shapes import CallShape, ConnectOptions, Transport
from keeprate.providers.table import BUILT_IN, Plugin, paid_session
from keeprate.testing.provider_contract import CHECKS, Case, Check
from keeprate.workflows.ports import Provider

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "add-a-provider.md"


def printed_plugin() -> Plugin:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    page = ModuleType("example_images")
    exec(compile(code[0], str(PAGE), "exec"), page.__dict__)
    return page.PLUGIN


SOLD: tuple[tuple[Surface, str, Transport], ...] = (
    (GEMINI_API, "gemini-3-pro-image", Transport.GENERATE_CONTENT),
    (GEMINI_API, "imagen-4.0-generate-001", Transport.PREDICT),
    (VERTEX, "gemini-3-pro-image", Transport.GENERATE_CONTENT),
    (OPENAI_COMPATIBLE, "example-image-1", Transport.PREDICT),
)


def connecting(
    surface: Surface, transport: Transport, http: aiohttp.ClientSession
) -> Callable[[str], Provider]:
    plugin = BUILT_IN.get(surface) or printed_plugin()
    shape = CallShape(transport=transport, sends_size=True, sends_thinking=False)
    options = ConnectOptions(shape_of=lambda route: shape)

    def connect(url: str) -> Provider:
        upstream = Upstream(name="u", surface=surface, base_url=url, simulated=False)
        return plugin.connect(upstream, ApiKey("k"), http, options)

    return connect


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("sold", SOLD, ids=lambda sold: f"{sold[0]}-{sold[2]}")
async def test_a_provider_keeps_the_contract(
    sold: tuple[Surface, str, Transport], check: Check, tmp_path: Path
) -> None:
    surface, model, transport = sold
    route = Route(upstream="u", model=ModelId(model), size=Size.ONE_K)
    async with paid_session() as http:
        await check(Case(connect=connecting(surface, transport, http), route=route, folder=tmp_path))
