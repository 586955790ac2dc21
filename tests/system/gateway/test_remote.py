"""The client of the API: the library's methods over HTTP, and its errors as the same classes."""

import asyncio
import socket
from pathlib import Path

import pytest

from keeprate.domain.errors import BudgetExceeded, InvalidValue, NotFound, Unauthenticated, Unreachable
from keeprate.domain.verdicts import VerdictKind
from keeprate.library.remote import BlockingRemote, RemoteKeeprate
from keeprate.workflows.options import Options
from tests.emulator_process import start_emulator
from tests.system.gateway.test_serving import command, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory):
    with start_emulator(tmp_path_factory.mktemp("remote"), "--draw", "fast") as emulator:
        yield emulator.url


async def test_what_the_library_does_it_does_from_afar(tmp_path: Path, url: str) -> None:
    with serving(tmp_path / "home", url) as (_, base):
        async with RemoteKeeprate(base + "/api") as keeprate:
            seen = await keeprate.route("a red boat", options=Options(purpose="hero", size="2k"))
            assert seen["size"] == "2K"
            options = Options(intent="order-1", variants=2)
            bought = await keeprate.generate("a red boat", options=options)
            again = await keeprate.generate("a red boat", options=options)
            assert (bought.outcome, len(bought.images)) == ("image", 2)
            assert again.attempt_id == bought.attempt_id
            picture = await keeprate.image(bought.images[0].sha256)
            edited = await keeprate.edit("bluer", options=Options(references=(picture,)))
            assert edited.charge_usd > "0"
            assert bought.attempt_id is not None
            verdict = await keeprate.verdict(bought.attempt_id, VerdictKind.ACCEPTED, cleanup_minutes=2)
            assert (verdict.kind, verdict.cleanup_minutes) == (VerdictKind.ACCEPTED, 2)
            assert len(await keeprate.attempts()) == 3
            assert (await keeprate.attempt(bought.attempt_id)).state == "image"
            with pytest.raises(NotFound):
                await keeprate.attempt("att_none")
            with pytest.raises(InvalidValue) as refused:
                await keeprate.generate("x", options=Options(purpose="fun"))
            assert refused.value.field == "purpose"


async def test_a_cap_and_a_missing_key_raise_what_they_raise_here(tmp_path: Path, url: str) -> None:
    home = tmp_path / "home"
    made = command(home, url, "keys", "create", "small", "--cap", "0.01", "--json")
    out, _ = await asyncio.to_thread(made.communicate)
    secret = out.split('"key": "')[1].split('"')[0]
    with serving(home, url) as (_, base):
        async with RemoteKeeprate(base, key=secret) as keeprate:
            with pytest.raises(BudgetExceeded) as refused:
                await keeprate.generate("a red boat")
            assert refused.value.facts["limit_usd"] == "0.01"
        async with RemoteKeeprate(base) as keeprate:
            with pytest.raises(Unauthenticated):
                await keeprate.attempts()


def test_a_script_waits_and_nobody_there_is_told(tmp_path: Path, url: str) -> None:
    with serving(tmp_path / "home", url) as (_, base), BlockingRemote(base) as keeprate:
        assert keeprate.generate("a red boat").outcome == "image"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
        with BlockingRemote(nowhere) as keeprate, pytest.raises(Unreachable):
            keeprate.generate("a red boat")
