"""`keeprate reconcile`: book what the bill says of an unknown attempt."""

from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Facts, Screen, money
from keeprate.cli.running import run
from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import usd
from keeprate.library.front import Keeprate
from keeprate.workflows.results import attempt_as_json


def reconcile(
    attempt: str,
    /,
    *,
    billed: bool = False,
    not_billed: bool = False,
    amount: str | None = None,
    force: bool = False,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """Book what the upstream's bill says of an attempt. Sends nothing.

    Parameters
    ----------
    attempt
        Its id, from `keeprate attempts --unknown`.
    billed
        The bill has it: what is held becomes a charge.
    not_billed
        The bill does not have it: what is held is released.
    amount
        With --billed, the exact US dollars on the bill. Otherwise the whole hold.
    force
        Book an amount of more than twice the hold.
    """
    _one_of(billed=billed, not_billed=not_billed, amount=amount)
    said = None if amount is None else usd(amount, field="amount")

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        row = await keeprate.attempt(attempt)
        booked = (row.new.hold if said is None else said) if billed else None
        settled = await keeprate.accounts.reconcile(row.id, billed=booked, force=force)
        sentence = "not billed, its hold is released" if booked is None else f"billed {money(booked)}"
        screen.answer(attempt_as_json(settled), Facts(("attempt", row.id), ("booked", sentence)))
        return 0

    return run(everywhere, work)


def _one_of(*, billed: bool, not_billed: bool, amount: str | None) -> None:
    if billed == not_billed:
        raise InvalidValue(
            "say either --billed or --not-billed",
            field="billed",
            value="both" if billed else None,
            remedy="look the attempt up in the upstream's bill, then give one of the two",
        )
    if amount is not None and not billed:
        raise InvalidValue(
            "--amount goes with --billed", field="amount", value=amount, remedy="drop one of the two"
        )
