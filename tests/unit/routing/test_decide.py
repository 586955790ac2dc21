"""The decision as a whole: a cascade with its quote, and a reason against every other route."""

import pytest

from keeprate.domain.errors import NoEligibleRoute
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Purpose
from keeprate.routing.decide import decide
from keeprate.routing.policies import POLICIES
from tests.unit.routing.goods import flash, market, painter, pro, request

FLASH_FIRST = POLICIES["flash-first"]


def test_flash_comes_first_and_pro_after_a_reject() -> None:
    decision = decide(request(), market=market(flash(), pro()), policy=FLASH_FIRST)

    assert [(step.offer.route.model, step.after) for step in decision.steps] == [
        ("flash-2", "start"),
        ("pro-3", "reject"),
    ]


def test_every_other_route_is_rejected_with_a_reason() -> None:
    offers = market(flash(), pro(), painter("brush", "0.02"))

    decision = decide(request(references=1), market=offers, policy=FLASH_FIRST)

    reasons = {one.route.model: (one.code, one.reason) for one in decision.rejected}
    assert reasons["pro-3"][0] == "dearer"
    assert reasons["pro-3"][1].startswith("dearer: $0.1")
    assert reasons["brush"] == ("references", "takes no references, the request has 1")
    assert set(reasons) == {"pro-3", "brush"}


def test_the_quote_covers_all_images_wanted() -> None:
    offers = market(painter("brush", "0.02"))

    decision = decide(request(variants=6), market=offers, policy=POLICIES["cheapest"])

    assert decision.attempts == 2
    assert decision.chosen.images_per_attempt == 4
    assert decision.chosen.quote.worst == 80_000_000
    assert decision.quote.worst == 120_000_000


def test_nothing_eligible_names_field_value_and_remedy() -> None:
    with pytest.raises(NoEligibleRoute) as caught:
        decide(request(Purpose.HERO, size=Size.HALF_K), market=market(flash(), pro()), policy=FLASH_FIRST)

    error = caught.value
    assert (error.field, error.value) == ("size", "512")
    assert error.remedy == "ask for one of: 1K, 2K, 4K"
    assert set(error.facts["rejections"]) == {"google/flash-2@512", "google/pro-3@512"}
