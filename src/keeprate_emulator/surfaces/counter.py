"""The counter of the Gemini doors: an admitted call is turned away, or accepted and then perhaps dropped."""

from aiohttp import web

from keeprate_emulator import delivery
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.generation import Admission, Commission, accepted


async def taken(
    emulator: Emulator, request: web.Request, admission: Admission
) -> Commission | web.StreamResponse:
    """Return the accepted call, or the answer that ends it here."""
    fault = admission.fault
    if fault.refuses:
        if fault.billed:
            accepted(emulator, admission)
        return await delivery.turned_away(request, fault, admission.call.model_id)
    commission = accepted(emulator, admission)
    await delivery.waited(fault)
    return delivery.hung_up(request) if fault.kind == "drop_after_accept" else commission
