"""`keeprate keys`: make and revoke keys with caps of their own."""

from cyclopts import App, Parameter
from rich.text import Text

from keeprate.cli.failures import clean
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Facts, Screen, table
from keeprate.cli.running import run
from keeprate.library.front import Keeprate

keys = App(name="keys", default_parameter=Parameter(negative=(), show_default=False), version_flags=())


@keys.default
def show(*, everywhere: Everywhere = EVERYWHERE) -> int:
    """List the keys of this workspace. A key itself is shown once, when it is made.

    With a command, make or revoke one.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        rows = await keeprate.accounts.keys()
        drawn = table("id", "name", "key", "made (UTC)", "revoked")
        for row in rows:
            revoked = "" if row.revoked_at is None else f"{row.revoked_at:%Y-%m-%d %H:%M}"
            drawn.add_row(
                row.id, clean(row.name), f"{row.prefix}…", f"{row.created_at:%Y-%m-%d %H:%M}", revoked
            )
        document = {
            "keys": [
                {
                    "id": row.id,
                    "name": row.name,
                    "prefix": row.prefix,
                    "created_at": row.created_at,
                    "revoked_at": row.revoked_at,
                }
                for row in rows
            ]
        }
        screen.answer(document, drawn if rows else "No keys yet. Make one: keeprate keys create NAME")
        return 0

    return run(everywhere, work)


@keys.command
def create(name: str, /, *, everywhere: Everywhere = EVERYWHERE) -> int:
    """Make a key and show it, this once.

    Parameters
    ----------
    name
        Whom or what it is for.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        made = await keeprate.accounts.create_key(name)
        screen.answer(
            {"id": made.record.id, "name": made.record.name, "key": made.secret},
            Facts(
                ("name", made.record.name),
                ("id", made.record.id),
                ("key", Text(made.secret, style="bold")),
            ),
            "\nKeep it now: only its fingerprint is stored, and it is not shown again.",
            f"Cap it: keeprate budget set day 1 --key {made.record.id}",
        )
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
