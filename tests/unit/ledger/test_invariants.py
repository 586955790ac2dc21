"""Whatever happens in whatever order, the money adds up: sequences drawn by Hypothesis, judged by a referee.

Each sequence runs through the ledger's own loading, folding and saving, on SQLite in memory, in batches of
several commands; some batches are lost in a crash before their commit, some run on a restarted process.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, StaticPool, create_engine, func, select

from keeprate.database.drivers import sqlite_driver
from keeprate.database.schema import attempts, entries, metadata
from keeprate.domain.budgets import Window
from keeprate.domain.errors import KeeprateError
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import OutcomeKind
from keeprate.domain.scopes import Scope
from keeprate.ledger import audit, caps
from keeprate.ledger import commands as ask
from keeprate.ledger.fold import fold
from keeprate.ledger.loading import load
from keeprate.ledger.memory import Memory
from keeprate.ledger.saving import save
from tests.ledger_ground import CENT, NOON, attempt_id, budget, failed, new_attempt, settlement, unknown
from tests.trust_counts import count, record
from tests.unit.ledger.referee import Expected, Referee, Seen

SEQUENCES = count("ledger_sequences", 150, 20_000)
TIMES = (
    timedelta(),
    timedelta(minutes=40),
    timedelta(hours=13),
    timedelta(days=-1),
    timedelta(days=10),
    timedelta(hours=-2),
)
KINDS = (
    *("intend",) * 5,
    *("send",) * 5,
    *("succeed",) * 4,
    *("block", "refused", "server_error", "timeout", "cancel", "late_answer"),
    *("guess", "guess", "refund", "billed", "billed"),
    *("cap", "resume", "crash", "restart", "adopt", "key_cap"),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens: what, to which attempt, with how many cents, when."""

    kind: str
    which: int
    cents: int
    when: int


ACTS = st.builds(
    Act, st.sampled_from(KINDS), st.integers(0, 5), st.integers(0, 12), st.integers(0, len(TIMES) - 1)
)
SEQUENCE = st.lists(st.lists(ACTS, min_size=1, max_size=4), min_size=3, max_size=14)


class World:
    """A workspace of its own in a shared database, with the referee beside it."""

    def __init__(self, engine: Engine, number: int) -> None:
        self.engine = engine
        self.workspace = f"w{number}"
        self.scope = Scope(workspace=self.workspace)
        self.referee = Referee()
        # Two processes take turns, so that each meets books that the other changed.
        self.memories = [Memory(), Memory()]
        self.turns = 0
        self.owner, self.lives = "owner-0", 0
        self.spent_before: dict[str, int] = {}
        self.set_cap("day", 40, Window.DAY, key=None)
        self.set_cap("sim", 15, Window.TOTAL, key=None, simulated=True)

    def set_cap(
        self, name: str, cents: int, window: Window, *, key: str | None, simulated: bool = False
    ) -> None:
        cap = budget(cents * CENT, window, id=name, workspace=self.workspace, key=key, simulated=simulated)
        self.referee.caps[name] = cap
        with self.engine.begin() as connection:
            caps.set_budget(connection, self.scope, cap, NOON)

    def happen(self, batch: list[Act]) -> None:
        planned: list[tuple[ask.Command, Expected]] = []
        before = deepcopy(self.referee)
        for act in batch:
            if act.kind in {"cap", "key_cap", "resume", "restart", "crash"}:
                self.commit(planned, before, lost=act.kind == "crash")
                self.by_hand(act)
                planned, before = [], deepcopy(self.referee)
            else:
                planned.append(self.plan(act))
        self.commit(planned, before, lost=False)
        self.judge()

    def by_hand(self, act: Act) -> None:
        match act.kind:
            case "cap":
                self.set_cap("day", 10 + act.cents * 5, Window.DAY, key=None)
            case "key_cap":
                window = (Window.HOUR, Window.MONTH, Window.TOTAL)[act.which % 3]
                self.set_cap("key", act.cents * 3, window, key="k1")
            case "resume":
                with self.engine.begin() as connection:
                    caps.resume(connection, self.scope, by="ana", at=NOON)
                self.referee.braked.clear()
            case _:
                self.lives += 1
                self.owner, self.memories = f"owner-{self.lives}", [Memory(), Memory()]

    def plan(self, act: Act) -> tuple[ask.Command, Expected]:
        name = attempt_id(f"i{act.which}", workspace=self.workspace)
        plans = {
            "intend": self.plan_intent,
            "send": self.plan_send,
            "succeed": self.plan_end,
            "block": self.plan_end,
            "late_answer": self.plan_end,
            "guess": self.plan_guess,
            "refused": self.plan_free,
            "cancel": self.plan_free,
            "server_error": self.plan_unknown,
            "timeout": self.plan_unknown,
            "refund": self.plan_reconcile,
            "billed": self.plan_reconcile,
            "adopt": self.plan_adopt,
        }
        return plans[act.kind](act, name, self.referee.seen.get(name))

    def plan_intent(self, act: Act, name: str, _seen: Seen | None) -> tuple[ask.Command, Expected]:
        key, simulated, amount = (None, "k1")[act.cents % 2], act.which == 5, act.cents * CENT
        at = NOON + TIMES[act.when]
        new = new_attempt(
            f"i{act.which}",
            workspace=self.workspace,
            hold=amount,
            owner=self.owner,
            api_key=key,
            simulated=simulated,
            created_at=at,
        )
        asked = Seen(hold=amount, key=key, simulated=simulated, booked=at, owner=self.owner)
        return ask.Intend(new=new), self.referee.intend(name, asked)

    def plan_send(self, _act: Act, name: str, _seen: Seen | None) -> tuple[ask.Command, Expected]:
        expected = self.referee.move(name, "sent", owner=self.owner, came_from=("intent",))
        return ask.Sent(attempt_id=name, owner=self.owner, at=NOON), expected

    def plan_free(self, _act: Act, name: str, seen: Seen | None) -> tuple[ask.Command, Expected]:
        to = "freed" if seen and seen.state == "intent" else "failed"
        expected = self.referee.move(name, to, owner=self.owner, came_from=("intent", "sent"))
        if expected is Expected.DONE:
            self.referee.close(name, 0)
        return ask.Free(attempt_id=name, owner=self.owner, outcome=failed(), at=NOON), expected

    def plan_unknown(self, act: Act, name: str, seen: Seen | None) -> tuple[ask.Command, Expected]:
        expected = self.referee.move(name, "unknown", came_from=("sent",))
        if expected is Expected.DONE and seen and act.kind == "timeout":
            # The upstream took the call: what it bills is settled now, whenever we hear of it.
            seen.billed = min(act.cents * CENT, seen.hold)
        return ask.MarkUnknown(attempt_id=name, outcome=unknown(), at=NOON), expected

    def plan_reconcile(self, _act: Act, name: str, seen: Seen | None) -> tuple[ask.Command, Expected]:
        bill = NanoUSD(seen.billed) if seen and seen.billed is not None else None
        if seen and seen.is_word:
            expected = Expected.DONE
            self.referee.correct(name, bill or 0)
        else:
            expected = self.referee.move(name, "failed", came_from=("unknown",))
            if expected is Expected.DONE and seen:
                seen.is_word = True
                self.referee.close(name, bill or 0)
        command = ask.Reconcile(workspace=self.workspace, attempt_id=name, billed=bill, by="ana", at=NOON)
        return command, expected

    def plan_adopt(self, _act: Act, name: str, seen: Seen | None) -> tuple[ask.Command, Expected]:
        dead = seen.owner if seen and seen.owner != self.owner else "nobody"
        stays = seen.state if seen else ""
        expected = self.referee.move(name, stays, came_from=("intent", "sent"), owner=dead)
        if expected is Expected.DONE and seen:
            seen.owner = self.owner
        return ask.Adopt(attempt_id=name, dead=dead, owner=self.owner), expected

    def plan_end(self, act: Act, name: str, seen: Seen | None) -> tuple[ask.Command, Expected]:
        kind = OutcomeKind.BLOCKED if act.kind == "block" else OutcomeKind.IMAGE
        amount = act.cents * CENT // (3 if kind is OutcomeKind.BLOCKED else 1)
        if seen and seen.billed is not None:
            amount = seen.billed
        expected = self.referee.move(name, kind.value, came_from=("sent", "unknown"))
        if expected is Expected.DONE and seen:
            seen.billed = amount
            self.referee.close(name, amount)
        images = ("a" * 64,) if kind is OutcomeKind.IMAGE else ()
        return ask.Settle(attempt_id=name, settlement=settlement(amount, kind, *images)), expected

    def plan_guess(self, act: Act, name: str, seen: Seen | None) -> tuple[ask.Command, Expected]:
        """An answer that does not say what it used: what is booked may be more than the bill, or less."""
        amount = act.cents * CENT
        expected = self.referee.move(name, "image", came_from=("sent", "unknown"))
        if expected is Expected.DONE and seen:
            seen.billed = seen.hold // 2 if seen.billed is None else seen.billed
            seen.is_word = True
            self.referee.close(name, amount)
        end = settlement(amount, OutcomeKind.IMAGE, "b" * 64)
        unsure = replace(end, charge=replace(end.charge, certain=False))
        return ask.Settle(attempt_id=name, settlement=unsure), expected

    def commit(self, planned: list[tuple[ask.Command, Expected]], before: Referee, *, lost: bool) -> None:
        if not planned:
            return
        batch = [command for command, _ in planned]
        self.turns += 1
        memory = self.memories[self.turns * 7 // 3 % 2]
        with self.engine.connect() as connection:
            loaded = load(connection, batch, memory)
            changes = fold(loaded, batch)
            save(connection, loaded, changes)
            got = [
                type(one).__name__ if isinstance(one, KeeprateError) else "done" for one in changes.results
            ]
            assert got == [expected.value for _, expected in planned]
            if lost:
                connection.rollback()
                self.referee = before
            else:
                connection.commit()
                memory.learn(loaded, changes)

    def judge(self) -> None:
        with self.engine.connect() as connection:
            assert audit.contradictions(connection, self.scope) == []
            here = entries.c.workspace_id == self.workspace
            sums = select(
                entries.c.attempt_id,
                func.sum(entries.c.available + entries.c.held + entries.c.spent),
                func.sum(entries.c.held),
                func.sum(entries.c.spent),
                func.count(),
            )
            rows = connection.execute(sums.where(here).group_by(entries.c.attempt_id)).all()
            asked = select(attempts.c.id, attempts.c.state).where(attempts.c.workspace_id == self.workspace)
            states = {row.id: row.state for row in connection.execute(asked)}
            for cap in self.referee.caps.values():
                at = self.referee.latest.get(cap.simulated, NOON)
                (standing,) = [
                    one
                    for one in caps.standings(
                        connection, replace(self.scope, key=cap.key), simulated=cap.simulated, at=at
                    )
                    if one.budget.id == cap.id
                ]
                assert (standing.spent, standing.held) == self.referee.used(cap, at)
        assert states == {name: one.state for name, one in self.referee.seen.items()}
        assert {row[0] for row in rows} == self.referee.seen.keys()
        for name, rest, held, spent, moves in rows:
            seen = self.referee.seen[name]
            assert rest == 0
            assert held == seen.held >= 0
            assert spent == seen.spent
            # What is spent never falls, but where a person set a guess right: to what the bill says.
            assert spent >= self.spent_before.get(name, 0) or (
                seen.corrections and spent == (seen.billed or 0)
            )
            # A hold, exactly one closing entry for whatever the upstream took or refused, and corrections.
            assert moves == 1 + seen.closings + seen.corrections
            assert seen.closings == (seen.state not in {"intent", "sent", "unknown"})
            self.spent_before[name] = spent


@pytest.fixture(scope="module")
def engine() -> Engine:
    driver = sqlite_driver()
    made = create_engine("sqlite://", module=driver.module, poolclass=StaticPool)
    metadata.create_all(made)
    return made


@pytest.mark.trust
@pytest.mark.timeout(7200)
def test_no_sequence_of_events_breaks_the_books(engine: Engine) -> None:
    played = 0

    @settings(
        max_examples=SEQUENCES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(SEQUENCE)
    def play(batches: list[list[Act]]) -> None:
        nonlocal played
        played += 1
        if played % 200 == 0:
            with engine.begin() as connection:
                for table in metadata.tables.values():
                    connection.execute(table.delete())
        world = World(engine, played)
        for batch in batches:
            world.happen(batch)

    play()
    record("ledger: stateful sequences without a violation", played, ">= 20000", met=played >= 20_000)
