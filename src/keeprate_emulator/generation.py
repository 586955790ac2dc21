"""From an admitted request to its reply: accept and bill first, draw afterwards.

The bill is written before anything is drawn or waited for. A caller that hangs up, a fault that drops the
connection and a kill of this process all leave an accepted call on the bill, as with the real service.
"""

import asyncio
import secrets
from dataclasses import dataclass

from keeprate_emulator.admission import admit, ratio_of, size_of
from keeprate_emulator.answers import Reply
from keeprate_emulator.bill import BillRow
from keeprate_emulator.calls import Call
from keeprate_emulator.clock import stamp
from keeprate_emulator.depiction import Subject, depicted
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.faults import Fault
from keeprate_emulator.luck import Luck, request_hash
from keeprate_emulator.models import Model, all_models, living_model
from keeprate_emulator.outcomes import Outcome, Terms, input_tokens, outcome_of
from keeprate_emulator.prices import PriceList, price_list
from keeprate_emulator.refusals import invalid
from keeprate_emulator.requests import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A request that the model takes, with the fault that lies in wait for it."""

    call: Call
    ask: Ask
    model: Model
    size: str
    lane: str
    fault: Fault
    luck: Luck
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Commission:
    """An accepted call: on the bill, and yet to be drawn."""

    admission: Admission
    outcome: Outcome
    row: BillRow


def called_model(emulator: Emulator, call: Call) -> Model:
    """Return the model that a call names.

    Raises:
        Refusal: 404 when it does not live today, or does not know the verb.
    """
    return living_model(
        call.model_id, call.surface, emulator.clock.day, method=call.method, version=call.version
    )


def admitted(emulator: Emulator, call: Call, model: Model, ask: Ask) -> Admission:
    """Check a request against its model, and pick its fault.

    Raises:
        Refusal: 400 for what the model does not take.
    """
    admit(ask, model.family, call.surface)
    prices = price_list(model.family.name)
    if input_tokens(ask, prices).input > model.family.input_tokens:
        raise invalid(
            "The input token count exceeds the maximum number of tokens allowed "
            f"({model.family.input_tokens})."
        )
    wanted = call.lane if call.surface == "vertex" else ask.tier
    fingerprint = request_hash(call.model_id, call.body)
    luck = emulator.luck.next(fingerprint)
    return Admission(
        call=call,
        ask=ask,
        model=model,
        size=size_of(ask),
        lane=prices.lane(wanted.lower() or "standard", call.surface),
        fault=emulator.faults.fault_for(call, ask.prompt, luck),
        luck=luck,
        fingerprint=fingerprint,
    )


def accepted(emulator: Emulator, admission: Admission) -> Commission:
    """Decide the end of the call and put it on the bill."""
    call, fault = admission.call, admission.fault
    family = admission.model.family
    terms = Terms(
        family=family,
        prices=price_list(family.name),
        profile=emulator.profiles[family.name],
        size=admission.size,
    )
    outcome = outcome_of(admission.ask, terms, fault, admission.luck)
    served = fault.model if fault.kind == "serve_model" else admission.model.id
    billed_as = all_models().get(served, admission.model).family
    searches = 1 if _searches(admission.ask) and not outcome.free else 0
    stamped = stamp()
    row = BillRow(
        response_id=new_response_id(),
        surface=call.surface,
        model=admission.model.id,
        served_model=served,
        method=call.method,
        size=admission.size,
        lane=admission.lane,
        outcome=outcome.name,
        fault=fault.name,
        images=outcome.images,
        nano_usd=0
        if outcome.free
        else price_list(billed_as.name).of_tokens(outcome.tokens, surface=call.surface, lane=admission.lane)
        + _searched(emulator, price_list(billed_as.name), searches, month=stamped[:7]),
        usage=outcome.tokens,
        key_hash=call.key_hash,
        client_request_id=call.client_request_id,
        request_hash=admission.fingerprint,
        accepted_at=stamped,
        searches=searches,
    )
    emulator.bill.record(row)
    return Commission(admission=admission, outcome=outcome, row=row)


async def fulfilled(emulator: Emulator, commission: Commission) -> Reply:
    """Draw what was commissioned."""
    admission, row = commission.admission, commission.row
    ask = admission.ask
    drawings = (
        depicted(emulator, _subject(commission, number), admission.luck, admission.fault)
        for number in range(commission.outcome.images + commission.outcome.drafts)
    )
    return Reply(
        outcome=commission.outcome,
        pictures=tuple(await asyncio.gather(*drawings)),
        response_id=row.response_id,
        served_model=row.served_model,
        surface=admission.call.surface,
        lane=admission.lane,
        signed=admission.model.family.signatures,
        with_usage=admission.fault.kind != "no_usage",
        searched=ask.prompt[:80] if _searches(ask) else "",
    )


def _searches(ask: Ask) -> bool:
    return "googleSearch" in ask.tools


def _searched(emulator: Emulator, prices: PriceList, searches: int, *, month: str) -> int:
    if not searches:
        return 0
    return prices.of_searches(searches, made_before=emulator.bill.searches_in(month))


def new_response_id() -> str:
    """Return an id that no other answer has, also across restarts and resets."""
    return secrets.token_urlsafe(16)


def _subject(commission: Commission, number: int) -> Subject:
    admission = commission.admission
    ask, surface = admission.ask, admission.call.surface
    return Subject(
        prompt=ask.prompt,
        model=admission.model,
        size=admission.size,
        ratio=ratio_of(ask, admission.model.family, surface),
        references=tuple(picture.content for picture in ask.edited if picture.content),
        # On the Gemini API the caller cannot choose, and either type may come.
        mime=ask.mime or ("image/png" if surface == "vertex" else ""),
        quality=ask.quality,
        response_id=commission.row.response_id,
        number=number,
    )
