"""Flash first: five triggers for Pro and five signals for Flash, each with a case that turns it on and off."""

from datetime import date
from types import MappingProxyType

import pytest

from keeprate.domain.geometry import Size
from keeprate.domain.money import usd
from keeprate.domain.needs import needs_of
from keeprate.domain.purposes import Asset, Fidelity, Layout, Purpose, Review, TextAmount
from keeprate.domain.requests import ImageRequest, Video
from keeprate.routing.decide import decide
from keeprate.routing.flash_first import FLASH_FIRST, STOP_RULE, flash_signals, pro_triggers
from tests.unit.routing.goods import flash, listing, market, painter, pro, request, token_price

GOODS = market(flash(), pro())
_START, _AFTER_REJECT = decide(request(), market=GOODS, policy=FLASH_FIRST).steps
GAP = _AFTER_REJECT.offer.quote.expected - _START.offer.quote.expected


def triggered(asked: ImageRequest) -> list[str]:
    return [signal.name for signal in pro_triggers(needs_of(asked), gap=GAP)]


def signalled(asked: ImageRequest) -> list[str]:
    return [signal.name for signal in flash_signals(needs_of(asked))]


@pytest.mark.parametrize(
    ("name", "on", "off"),
    [
        ("dense_text", {"text": TextAmount.DENSE}, {"text": TextAmount.SHORT}),
        ("complex_layout", {"layout": Layout.COMPLEX}, {"layout": Layout.SIMPLE}),
        (
            "reference_fidelity",
            {"references": 1, "reference_fidelity": Fidelity.STRICT},
            {"references": 1, "reference_fidelity": Fidelity.LOOSE},
        ),
        (
            "reference_fidelity",
            {"references": 1, "reference_fidelity": Fidelity.STRICT},
            {"reference_fidelity": Fidelity.STRICT},
        ),
        (
            "premium_4k",
            {"size": Size.FOUR_K, "asset": Asset.FINAL},
            {"size": Size.FOUR_K, "asset": Asset.DRAFT},
        ),
        (
            "premium_4k",
            {"size": Size.FOUR_K, "asset": Asset.FINAL},
            {"size": Size.TWO_K, "asset": Asset.FINAL},
        ),
        ("failure_cost", {"failure_cost": GAP + 1}, {"failure_cost": GAP}),
    ],
)
def test_each_trigger_for_pro_turns_on_and_off(
    name: str, on: dict[str, object], off: dict[str, object]
) -> None:
    assert triggered(request(**on)) == [name]
    assert triggered(request(**off)) == []

    started = decide(request(**on), market=market(flash(), pro()), policy=FLASH_FIRST)
    stayed = decide(request(**off), market=market(flash(), pro()), policy=FLASH_FIRST)
    assert started.chosen.route.model == "pro-3"
    assert name in [signal.name for signal in started.signals]
    assert next(signal.sentence for signal in started.signals if signal.name == name) in started.reason
    assert stayed.chosen.route.model == "flash-2"


@pytest.mark.parametrize(
    ("name", "on", "off"),
    [
        ("many_variants", {"variants": 4}, {"variants": 3}),
        ("internal_review", {"review": Review.INTERNAL}, {"review": Review.EXTERNAL}),
        ("short_text", {"text": TextAmount.SHORT}, {"text": TextAmount.DENSE}),
        ("short_text", {"text": TextAmount.NONE}, {"text": TextAmount.DENSE}),
        ("loose_references", {"reference_fidelity": Fidelity.LOOSE}, {"reference_fidelity": Fidelity.STRICT}),
        ("not_4k", {"size": Size.TWO_K, "asset": Asset.FINAL}, {"size": Size.FOUR_K, "asset": Asset.FINAL}),
        ("not_4k", {"size": Size.FOUR_K, "asset": Asset.DRAFT}, {"size": Size.FOUR_K, "asset": Asset.FINAL}),
    ],
)
def test_each_signal_for_flash_turns_on_and_off(
    name: str, on: dict[str, object], off: dict[str, object]
) -> None:
    assert name in signalled(request(**on))
    assert name not in signalled(request(**off))

    decision = decide(request(**on), market=market(flash(), pro()), policy=FLASH_FIRST)
    assert decision.chosen.route.model == "flash-2"
    assert next(signal.sentence for signal in decision.signals if signal.name == name) in decision.reason


def test_4k_alone_never_triggers() -> None:
    for purpose in Purpose:
        asked = request(
            purpose, size=Size.FOUR_K, asset=Asset.DRAFT, text=TextAmount.NONE, layout=Layout.SIMPLE
        )
        assert triggered(asked) == []


def test_a_signal_names_the_field_and_value_that_made_it() -> None:
    (signal,) = pro_triggers(needs_of(request(text=TextAmount.DENSE)), gap=None)
    assert (signal.field, signal.value) == ("text", "dense")
    assert signal.sentence == "dense text or labels (text dense)"


@pytest.mark.parametrize(
    ("purpose", "names"),
    [
        (Purpose.TEXT_BOARD, ["dense_text"]),
        (Purpose.INFOGRAPHIC, ["dense_text", "complex_layout"]),
        (Purpose.CHARACTER_LOCK, ["reference_fidelity"]),
        (Purpose.PRODUCT, []),
    ],
)
def test_a_purpose_implies_what_was_left_unset(purpose: Purpose, names: list[str]) -> None:
    assert triggered(request(purpose, references=1)) == names


def test_an_implied_field_says_so_and_gives_way_to_a_word() -> None:
    (signal,) = pro_triggers(needs_of(request(Purpose.TEXT_BOARD)), gap=None)
    assert signal.sentence == "dense text or labels (text dense, as text_board implies)"
    assert triggered(request(Purpose.TEXT_BOARD, text=TextAmount.SHORT)) == []


def test_the_failure_cost_is_held_against_the_gap_for_one_image() -> None:
    goods = market(flash(), pro())
    decision = decide(request(), market=goods, policy=FLASH_FIRST)
    one_more = decision.steps[1].offer.quote.expected - decision.quote.expected

    below = decide(request(variants=5, failure_cost=one_more), market=goods, policy=FLASH_FIRST)
    above = decide(request(variants=5, failure_cost=one_more + 1), market=goods, policy=FLASH_FIRST)

    assert below.chosen.route.model == "flash-2"
    assert above.chosen.route.model == "pro-3"
    assert "a rejected image costs $0.1" in above.reason
    assert "more than the price gap of $0.1" in above.reason


def test_without_both_lines_there_is_no_gap_to_hold_a_failure_cost_against() -> None:
    asked = request(failure_cost=usd("100"))
    assert decide(asked, market=market(flash()), policy=FLASH_FIRST).chosen.route.model == "flash-2"


def test_pro_stands_in_where_no_flash_can_serve() -> None:
    goods = market(flash(sizes=(Size.ONE_K,)), pro())
    decision = decide(request(size=Size.TWO_K), market=goods, policy=FLASH_FIRST)

    assert decision.chosen.route.model == "pro-3"
    assert decision.reason.startswith("no Flash route can serve this, so Pro does: pro-3")
    assert [step.after for step in decision.steps] == ["start"]


def test_flash_serves_what_pro_cannot_even_when_a_trigger_fires() -> None:
    asked = request(text=TextAmount.DENSE, video=Video(uri="v"))
    decision = decide(asked, market=market(flash(), pro()), policy=FLASH_FIRST)

    assert decision.chosen.route.model == "flash-2"
    assert decision.reason.startswith("no Pro route can serve this although dense text or labels")


def test_with_neither_line_the_cheapest_route_serves() -> None:
    goods = market(painter("brush", "0.04"), painter("pencil", "0.02"))
    decision = decide(request(), market=goods, policy=FLASH_FIRST)

    assert decision.chosen.route.model == "pencil"
    assert decision.reason == "neither Flash nor Pro can serve this: pencil is the cheapest that can"


def test_no_signal_at_all_still_has_a_reason() -> None:
    asked = request(
        review=Review.EXTERNAL, reference_fidelity=Fidelity.STRICT, text=TextAmount.DENSE,
        size=Size.FOUR_K, asset=Asset.FINAL,
    )  # fmt: skip
    assert signalled(asked) == []
    assert "set aside" not in decide(asked, market=market(flash(), pro()), policy=FLASH_FIRST).reason


def test_no_flash_signal_and_no_trigger_is_told_plainly() -> None:
    asked = request(
        review=Review.EXTERNAL, reference_fidelity=Fidelity.STRICT, text=TextAmount.DENSE,
        size=Size.FOUR_K, asset=Asset.FINAL, video=Video(uri="v"),
    )  # fmt: skip
    decision = decide(asked, market=market(flash()), policy=FLASH_FIRST)
    assert decision.chosen.route.model == "flash-2"


def test_the_stop_rule_is_data() -> None:
    assert STOP_RULE.same_on_both == ("prompt", "ratio", "references", "acceptance bar")
    assert STOP_RULE.measure == "cost per accepted image"


def test_the_rest_of_the_line_serves_what_its_current_model_cannot() -> None:
    older = flash("flash-1", released_on=date(2025, 1, 1), sizes=(Size.HALF_K, Size.ONE_K))
    half = token_price("flash-1", image_tokens=MappingProxyType({Size.HALF_K: 747, Size.ONE_K: 1120}))
    goods = market(flash(), listing(older.card, half), pro())

    assert decide(request(), market=goods, policy=FLASH_FIRST).chosen.route.model == "flash-2"
    decision = decide(request(size=Size.HALF_K), market=goods, policy=FLASH_FIRST)
    assert decision.chosen.route.model == "flash-1"
