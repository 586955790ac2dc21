"""Small things the ledger remembers: facts of a home, and prices as they stood when used."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from keeprate.database.schema import home_facts, prices_used
from keeprate.domain.scopes import Scope
from keeprate.ledger.loading import locked_books
from keeprate.ledger.moments import micros


def fact(connection: Connection, scope: Scope, name: str) -> str | None:
    """Return what was noted under `name`, or None."""
    asked = select(home_facts.c.value).where(
        home_facts.c.workspace_id == scope.workspace, home_facts.c.name == name
    )
    return connection.scalar(asked)


def set_fact(connection: Connection, scope: Scope, name: str, value: str) -> None:
    """Note `value` under `name`, in place of what stood there."""
    locked_books(connection, {scope.workspace})
    here = (home_facts.c.workspace_id == scope.workspace) & (home_facts.c.name == name)
    connection.execute(delete(home_facts).where(here))
    row = {"workspace_id": scope.workspace, "name": name, "value": value}
    connection.execute(insert(home_facts), [row])


def use_price(connection: Connection, scope: Scope, price_id: str, price_json: str, at: datetime) -> None:
    """Keep the price row an attempt rests on. The first text under an id stays for good."""
    locked_books(connection, {scope.workspace})
    if price_used(connection, scope, price_id) is None:
        row = {
            "workspace_id": scope.workspace,
            "price_id": price_id,
            "price_json": price_json,
            "first_used_us": micros(at),
        }
        connection.execute(insert(prices_used), [row])


def price_used(connection: Connection, scope: Scope, price_id: str) -> str | None:
    """Return the price row as it stood when first used, as JSON, or None."""
    asked = select(prices_used.c.price_json).where(
        prices_used.c.workspace_id == scope.workspace, prices_used.c.price_id == price_id
    )
    return connection.scalar(asked)
