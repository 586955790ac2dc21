"""Caps of keys and of their end users, plans in force, and a kill switch that every process obeys at once."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from keeprate.domain.scopes import LOCAL_OWNER
from keeprate.workflows.plans import TermsAsked
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.gateway_ground import open_gateway
from tests.trust_counts import record

pytestmark = pytest.mark.anyio
BOAT = {"prompt": "a red boat"}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory):
    with start_emulator(tmp_path_factory.mktemp("caps"), "--draw", "fast") as running:
        yield running


async def test_a_key_stops_at_its_cap_and_says_what_is_left(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with open_gateway(tmp_path, emulator.url) as gateway:
        made = await gateway.accounts.create_key("shop", TermsAsked(cap="0.10", per="month"))
        other = await gateway.accounts.create_key("other")
        before = emulator.bill_summary()["accepted_calls"]
        codes = [
            (await gateway.ask("POST", "/api/generate", made.secret, json=BOAT)).status_code for _ in range(4)
        ]
        assert codes == [200, 200, 402, 402]
        assert emulator.bill_summary()["accepted_calls"] == before + 2
        refused = await gateway.ask("POST", "/api/generate", made.secret, json=BOAT)
        assert refused.headers["x-should-retry"] == "false"
        assert refused.headers["x-keeprate-limit-usd"] == "0.1"
        assert float(refused.headers["x-keeprate-remaining-usd"]) < 0.04
        assert refused.headers["x-keeprate-reset"] == refused.json()["facts"]["resets_at"]
        assert (await gateway.ask("POST", "/api/generate", other.secret, json=BOAT)).status_code == 200


async def test_each_end_user_has_a_cap_of_their_own(tmp_path: Path, emulator: EmulatorProcess) -> None:
    async with open_gateway(tmp_path, emulator.url) as gateway:
        made = await gateway.accounts.create_key("app", TermsAsked(user_cap="0.05", cap="10"))

        async def asked(user: str) -> int:
            answer = await gateway.ask("POST", "/api/generate", made.secret, json={**BOAT, "user": user})
            return answer.status_code

        assert [await asked("alice"), await asked("alice"), await asked("al"), await asked("bob")] == [
            200, 402, 200, 200,
        ]  # fmt: skip
        # What its users spent counts for the key, too, and the books agree with themselves.
        caps = {one.budget.id: one for one in await gateway.accounts.budgets()}
        spent = caps[f"day-cap-{made.record.id}-simulated"].spent
        users = [one for name, one in caps.items() if "/" in name and one.budget.simulated]
        assert spent == sum(one.spent for one in users) > 0
        assert await gateway.house.ledger.audit(LOCAL_OWNER) == []


async def test_paid_users_get_pro_for_characters_and_nobody_else_does(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with open_gateway(tmp_path, emulator.url) as gateway:
        paid = (await gateway.accounts.create_key("paid", TermsAsked(plan="paid"))).secret
        free = (await gateway.accounts.create_key("free", TermsAsked(plan="free"))).secret
        pro = {"prompt": "the same child again", "model": "gemini-3-pro-image"}

        async def routed(secret: str, **more: str) -> tuple[int, str]:
            answer = await gateway.ask("POST", "/api/route", secret, json={**pro, **more})
            told = answer.json()
            return answer.status_code, told.get("model") or told["detail"]

        assert await routed(paid, purpose="character_lock") == (200, "gemini-3-pro-image")
        assert await routed(paid, purpose="hero") == (
            403,
            "plan 'paid' does not allow gemini-3-pro-image for hero",
        )
        assert (await routed(free, purpose="character_lock"))[0] == 403
        # Nor does a policy choose it for them.
        wide = {"prompt": "a poster", "purpose": "final_hero", "policy": "quality-first", "size": "1K"}
        told = (await gateway.ask("POST", "/api/route", free, json=wide)).json()
        assert "pro" not in told["model"]
        assert all("pro" not in step["model"] for step in told["steps"])
        larger = await gateway.ask("POST", "/api/route", free, json={"size": "4K"})
        assert (larger.status_code, larger.json()["field"]) == (403, "size")


BUYER = """
import asyncio, json, sys, time
from pathlib import Path
from tests.homes import keeprate_at
from keeprate.domain.errors import SpendingStopped

async def main():
    async with keeprate_at(Path(sys.argv[1]), sys.argv[2]) as keeprate:
        print("ready", flush=True)
        bought = []
        while True:
            began = time.time()
            try:
                await keeprate.generate("a red boat")
            except SpendingStopped:
                print(json.dumps({"stopped": time.time(), "bought": bought}), flush=True)
                return
            bought.append(began)

asyncio.run(main())
"""


@pytest.mark.trust
async def test_the_kill_switch_stops_every_process_within_a_second(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with open_gateway(tmp_path, emulator.url) as gateway:
        buyers = [_buyer(tmp_path / "home", emulator.url) for _ in range(3)]
        try:
            for buyer in buyers:
                assert buyer.stdout is not None
                assert await asyncio.to_thread(buyer.stdout.readline) == "ready\n"
            await asyncio.sleep(1.0)
            pressed = time.time()
            answer = await gateway.ask("POST", "/api/budgets/stop", json={"reason": "drill"})
            assert answer.status_code == 200
            thrown = time.time()
            told = [json.loads(one) for one in await _last_words(buyers)]
        finally:
            for buyer in buyers:
                buyer.kill()
                buyer.wait()
        assert all(one["bought"] for one in told), "each was buying"
        latest = max(begun for one in told for begun in one["bought"]) - pressed
        record(
            "seconds from the kill switch to the last purchase begun", round(latest, 3), "1", met=latest <= 1
        )
        assert latest <= 1.0
        assert thrown - pressed <= 1.0
        refused = await gateway.ask("POST", "/api/generate", json=BOAT)
        assert (refused.status_code, refused.json()["code"]) == (503, "spending_stopped")
        assert refused.headers["x-should-retry"] == "false"
        assert (await gateway.ask("POST", "/api/budgets/resume")).json()["stopped"] is None
        assert (await gateway.ask("POST", "/api/generate", json=BOAT)).status_code == 200


def _buyer(home: Path, url: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BUYER, str(home), url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])


async def _last_words(buyers: Sequence[subprocess.Popen[str]]) -> list[str]:
    spoken = await asyncio.gather(*(asyncio.to_thread(buyer.communicate, timeout=60) for buyer in buyers))
    return [out for out, _ in spoken]
