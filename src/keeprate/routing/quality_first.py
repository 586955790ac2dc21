"""The blend turned over for print and editorial: the best setter of type first, previews cheap.

Heroes and print on Imagen 4 Ultra, variations on 3.1 Flash, previews on Imagen 4 Fast, as the founding
text has it for designers; where one is gone or cannot serve, its successor, then the lines in order.
"""

from dataclasses import dataclass
from typing import Final

from keeprate.domain.purposes import Purpose
from keeprate.domain.routes import ModelId
from keeprate.routing.cases import Case, Priced, money, thinks
from keeprate.routing.flash_first import FLASH, PRO
from keeprate.routing.market import StandIn
from keeprate.routing.plans import Plan, Policy
from keeprate.routing.six_model import FLASH_31, IMAGEN_FAST, IMAGEN_ULTRA, NANO_BANANA_PRO

LITE: Final = "lite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """What a kind of work goes on: a model by name, then lines where it and its successor cannot serve."""

    work: str
    model: ModelId
    lines: tuple[str, ...]


_FINE: Final = Preference(work="heroes and print", model=IMAGEN_ULTRA, lines=(PRO, FLASH))
_IDENTITY: Final = Preference(work="locked characters", model=NANO_BANANA_PRO, lines=(PRO, FLASH))
_VARIATION: Final = Preference(work="variations", model=FLASH_31, lines=(FLASH, PRO))
_PREVIEW: Final = Preference(work="previews", model=IMAGEN_FAST, lines=(LITE, FLASH))

PREFERENCES: Final[dict[Purpose, Preference]] = {
    Purpose.HERO: _FINE,
    Purpose.FINAL_HERO: _FINE,
    Purpose.PRINT: _FINE,
    Purpose.TEXT_BOARD: _FINE,
    Purpose.INFOGRAPHIC: _FINE,
    Purpose.CHARACTER_LOCK: _IDENTITY,
    Purpose.DRAFT: _PREVIEW,
    Purpose.PREVIEW: _PREVIEW,
}


def _choose(case: Case) -> Plan:
    wish = PREFERENCES.get(case.needs.purpose, _VARIATION)
    found = case.in_place_of(wish.model)
    if found is not None:
        return _named(wish, *found)
    for line in wish.lines:
        start = case.of_line(line)
        if start is not None:
            return _by_line(wish, start)
    return _by_line(wish, case.cheapest)


def _named(wish: Preference, start: Priced, stand_in: StandIn) -> Plan:
    model = start.candidate.route.model
    reason = f"{wish.work} go on {wish.model}: {money(start.expected)}"
    if model != wish.model:
        gone = f"shut down on {stand_in.shutdown_on}" if stand_in.shutdown_on else "now under another id"
        reason = (
            f"{wish.work} go on {wish.model}, {gone}; successor {model}{thinks(stand_in.thinking)} "
            f"per {stand_in.source} at {money(start.expected)}"
        )
    return Plan(
        start=start,
        reason=reason,
        preference=f"{wish.work} go on {model}",
        successor_of=None if model == wish.model else wish.model,
    )


def _by_line(wish: Preference, start: Priced) -> Plan:
    label = start.candidate.label
    return Plan(
        start=start,
        reason=(
            f"{wish.work} go on {wish.model}, which cannot serve this request: {label} "
            f"at {money(start.expected)} comes next"
        ),
        preference=f"{wish.work} go on {label} here",
    )


QUALITY_FIRST: Final = Policy(name="quality-first", version=1, choose=_choose)
