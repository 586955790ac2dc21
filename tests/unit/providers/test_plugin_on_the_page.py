"""The provider printed in docs/how-to/add-a-provider.md is the one that runs here."""

import base64
import json
import re
from datetime import date
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

from keeprate.catalogue.standard import FACT_FILES, book_of
from keeprate.domain.geometry import Size
from keeprate.domain.outcomes import FailureClass, OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import OPENAI_COMPATIBLE, ModelId, Route, Upstream
from keeprate.providers.credentials import ApiKey
from keeprate.providers.shapes import ConnectOptions, shape_of_card
from keeprate.providers.table import Plugin, paid_session
from keeprate.workflows.ports import Materials, Provider, SendFailure
from tests.unit.providers.build import ask
from tests.unit.providers.raw_server import raw_server, says
from tests.unit.providers.spooling import OneFile

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "add-a-provider.md"
DAY = date(2026, 11, 21)
ROUTE = Route(upstream="u", model=ModelId("example-image-1"), size=Size.ONE_K)


@pytest.fixture(scope="module")
def plugin() -> Plugin:
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    page = ModuleType("example_images")
    exec(compile(code[0], str(PAGE), "exec"), page.__dict__)
    return page.PLUGIN


def answered(status: int, document: object) -> bytes:
    body = json.dumps(document).encode()
    return b"HTTP/1.1 %d Said\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


def test_its_facts_stand_beside_the_official_ones(plugin: Plugin) -> None:
    folder = files("keeprate.catalogue") / "facts"
    texts = {name: (folder / name).read_text("utf-8") for name in FACT_FILES}
    book = book_of({**texts, "plug-in": plugin.facts_toml or ""})
    card = book.card(OPENAI_COMPATIBLE, ROUTE.model, DAY)
    assert shape_of_card(card, Size.ONE_K).timeout_s == 180
    assert book.price_on(OPENAI_COMPATIBLE, ROUTE.model, DAY).per_image[Size.ONE_K] == 30_000_000


@pytest.mark.anyio
async def test_it_buys_and_refuses_like_a_built_in_one(plugin: Plugin, tmp_path: Path) -> None:
    picture = base64.b64encode(b"a picture").decode()
    async with (
        raw_server(says(answered(200, {"data": [{"b64_json": picture}]}))) as server,
        paid_session() as http,
    ):
        provider = _connected(plugin, server.url, http)
        asked = ask("a red bicycle", "example-image-1")
        call = provider.outgoing(
            asked.request,
            route=ROUTE,
            lane=Lane.LIVE,
            images=1,
            max_output_tokens=None,
            materials=Materials(),
        )
        reply = await provider.send(call, attempt_id="a-1", into=OneFile(tmp_path))
    answer = provider.understand(reply, ROUTE)
    assert answer.outcome.kind is OutcomeKind.IMAGE
    assert answer.images[0].content == b"a picture"
    async with raw_server(says(answered(502, {}))) as server, paid_session() as http:
        provider = _connected(plugin, server.url, http)
        with pytest.raises(SendFailure) as caught:
            await provider.send(
                provider.outgoing(
                    asked.request,
                    route=ROUTE,
                    lane=Lane.LIVE,
                    images=1,
                    max_output_tokens=None,
                    materials=Materials(),
                ),
                attempt_id="a-2",
                into=OneFile(tmp_path),
            )
    assert caught.value.failure is FailureClass.UNKNOWN


def _connected(plugin: Plugin, url: str, http: object) -> Provider:
    upstream = Upstream(name="u", surface=OPENAI_COMPATIBLE, base_url=url, simulated=False)
    options = ConnectOptions(shape_of=lambda route: ask().shape)
    return plugin.connect(upstream, ApiKey("k"), http, options)
