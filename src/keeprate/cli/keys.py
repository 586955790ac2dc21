"""`keeprate keys`: make and revoke keys with caps of their own."""

from collections.abc import Mapping, Sequence

from cyclopts import App, Parameter
from msgspec import json, to_builtins
from rich.text import Text

from keeprate.cli.failures import clean
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.key_flags import KEY_FLAGS, RULE_FLAGS, KeyFlags, RuleFlags, asked_for
from keeprate.cli.output import Facts, Screen, money, table
from keeprate.cli.running import run
from keeprate.domain.budgets import Standing
from keeprate.ledger.keys import KeyRecord, key_as_json
from keeprate.library.front import Keeprate

keys = App(name="keys", default_parameter=Parameter(negative=(), show_default=False), version_flags=())


@keys.default
def show(*, everywhere: Everywhere = EVERYWHERE) -> int:
    """List the keys of this workspace. A key itself is shown once, when it is made.

    With a command, make or revoke one.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        rows = await keeprate.accounts.keys()
        caps = _caps(await keeprate.accounts.budgets())
        drawn = table("id", "name", "key", "may", "until (UTC)", "state", "caps")
        for row in rows:
            ends = row.terms.expires_at
            drawn.add_row(
                row.id,
                clean(row.name),
                f"{row.prefix}…",
                ", ".join(sorted(row.terms.grants)) + (f" ({row.terms.plan})" if row.terms.plan else ""),
                "" if ends is None else f"{ends:%Y-%m-%d %H:%M}",
                _state(row),
                ", ".join(caps.get(row.id, ())),
            )
        document = {"keys": [{**key_as_json(row), "caps": list(caps.get(row.id, ()))} for row in rows]}
        screen.answer(document, drawn if rows else "No keys yet. Make one: keeprate keys create NAME")
        return 0

    return run(everywhere, work)


keys.command(show, name="list")


def _caps(standings: Sequence[Standing]) -> Mapping[str, Sequence[str]]:
    """Return the caps on real money of each key, in words."""
    found: dict[str, list[str]] = {}
    for standing in standings:
        cap = standing.budget
        if cap.key is not None and not cap.simulated:
            found.setdefault(cap.key, []).append(f"{money(cap.limit)} {cap.window.span}")
    return found


def _state(row: KeyRecord) -> str:
    if row.revoked_at is not None:
        return f"revoked {row.revoked_at:%Y-%m-%d %H:%M}"
    return "" if row.suspended_at is None else f"suspended {row.suspended_at:%Y-%m-%d %H:%M}"


@keys.command
def plans(*, everywhere: Everywhere = EVERYWHERE) -> int:
    """List the plans that a key can be made on: those of Keeprate, and [plan.NAME] of keeprate.toml."""

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        found = keeprate.accounts.plans()
        lines = [
            (name, json.encode({word: each for word, each in to_builtins(plan).items() if each}).decode())
            for name, plan in sorted(found.items())
        ]
        screen.answer({"plans": to_builtins(found)}, Facts(*lines))
        return 0

    return run(everywhere, work)


@keys.command
def create(
    name: str,
    /,
    *,
    terms: KeyFlags = KEY_FLAGS,
    rules: RuleFlags = RULE_FLAGS,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """Make a key and show it, this once.

    Parameters
    ----------
    name
        Whom or what it is for.
    """
    asked = asked_for(terms, rules)

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        made = await keeprate.accounts.create_key(name, asked)
        record = made.record
        screen.answer(
            {"key": made.secret, **key_as_json(record)},
            Facts(
                ("name", record.name),
                ("id", record.id),
                ("may", ", ".join(sorted(record.terms.grants))),
                ("key", Text(made.secret, style="bold")),
            ),
            "\nKeep it now: only its fingerprint is stored, and it is not shown again.",
            f"Cap it: keeprate budget set day 1 --key {record.id}",
        )
        return 0

    return run(everywhere, work)


@keys.command
def resume(key_id: str, /, *, everywhere: Everywhere = EVERYWHERE) -> int:
    """Let a key go on that an alarm suspended.

    Parameters
    ----------
    key_id
        From `keeprate keys`.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        record = await keeprate.accounts.resume_key(key_id)
        screen.answer(key_as_json(record), f"{key_id} goes on")
        return 0

    return run(everywhere, work)


@keys.command
def revoke(key_id: str, /, *, everywhere: Everywhere = EVERYWHERE) -> int:
    """End a key. What it bought stays on record.

    Parameters
    ----------
    key_id
        From `keeprate keys`.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        await keeprate.accounts.revoke_key(key_id)
        screen.answer({"id": key_id, "revoked": True}, f"{key_id} is revoked")
        return 0

    return run(everywhere, work)
