"""The other policies, the registry, and where to go when the first route is unavailable."""

from datetime import date

import pytest

from keeprate.catalogue.cards import Opinion
from keeprate.domain.errors import InvalidValue, ModelRetired, NoEligibleRoute, UnknownModel
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Purpose
from keeprate.domain.routes import ModelId
from keeprate.routing.cases import Situation
from keeprate.routing.decide import decide
from keeprate.routing.listings import Listing
from keeprate.routing.policies import DEFAULT_POLICY, POLICIES, policy_named
from keeprate.routing.quality_first import QUALITY_FIRST
from keeprate.routing.six_model import FLASH_31, IMAGEN_FAST, IMAGEN_ULTRA, NANO_BANANA_PRO
from tests.unit.routing.goods import (
    card,
    flash,
    listing,
    market,
    painter,
    pro,
    provenance,
    request,
    token_price,
)

CHEAPEST = POLICIES["cheapest"]


def elsewhere(of: Listing, name: str, place: int = 1, image_rate: str = "30.00") -> Listing:
    price = token_price(of.card.model, rates=("1.50", "7.50", image_rate))
    return listing(of.card, price, on=name, place=place)


def test_the_registry_names_five_policies_and_flash_first_is_the_default() -> None:
    assert set(POLICIES) == {"flash-first", "six-model", "quality-first", "cheapest", "pinned"}
    assert DEFAULT_POLICY == "flash-first"
    assert all(policy.version >= 1 for policy in POLICIES.values())


def test_an_unknown_policy_is_refused_with_the_list() -> None:
    assert policy_named("cheapest") is CHEAPEST
    with pytest.raises(InvalidValue) as caught:
        policy_named("best")
    assert caught.value.field == "policy"
    assert "six-model" in str(caught.value.remedy)


def test_cheapest_takes_the_lowest_expected_money() -> None:
    decision = decide(request(), market=market(pro(), flash(), painter("brush", "0.02")), policy=CHEAPEST)

    assert decision.chosen.route.model == "brush"
    assert decision.reason == "brush is the cheapest eligible route at $0.0200"
    assert [one.code for one in decision.rejected] == ["dearer", "dearer"]


def test_equals_are_told_apart_by_the_owners_order() -> None:
    first, second = flash(), elsewhere(flash(), "vertex")
    decision = decide(request(), market=market(first, second), policy=CHEAPEST)

    assert decision.chosen.route.upstream == "google"
    (other,) = decision.rejected
    assert other.code == "equal"
    assert other.reason.startswith("costs the same $0.0336, and ")


@pytest.mark.parametrize(
    ("purpose", "model"),
    [
        (Purpose.HERO, IMAGEN_ULTRA),
        (Purpose.FINAL_HERO, IMAGEN_ULTRA),
        (Purpose.PRINT, IMAGEN_ULTRA),
        (Purpose.SOCIAL, FLASH_31),
        (Purpose.CONTEXTUAL_EDIT, FLASH_31),
        (Purpose.DRAFT, IMAGEN_FAST),
        (Purpose.PREVIEW, IMAGEN_FAST),
        (Purpose.CHARACTER_LOCK, NANO_BANANA_PRO),
    ],
)
def test_quality_first_turns_the_blend_over(purpose: Purpose, model: str) -> None:
    goods = market(
        painter(IMAGEN_ULTRA, "0.06"), painter(IMAGEN_FAST, "0.02"), flash(FLASH_31), pro(NANO_BANANA_PRO)
    )
    assert decide(request(purpose), market=goods, policy=QUALITY_FIRST).chosen.route.model == model


def test_quality_first_follows_a_dead_model() -> None:
    dead = painter(IMAGEN_ULTRA, "0.06", shutdown_on=date(2026, 8, 17))
    goods = market(dead, flash(), pro(), heirs={IMAGEN_ULTRA: ("pro-3", None)})

    decision = decide(request(Purpose.PRINT), market=goods, policy=QUALITY_FIRST)

    assert decision.chosen.route.model == "pro-3"
    assert decision.successor_of == IMAGEN_ULTRA
    assert "shut down on 2026-08-17; successor pro-3 per https://" in decision.reason


def test_quality_first_says_when_a_model_has_another_id() -> None:
    goods = market(flash(), heirs={FLASH_31: ("flash-2", None)})
    assert "now under another id" in decide(request(), market=goods, policy=QUALITY_FIRST).reason


def test_quality_first_goes_down_its_lines_where_the_named_model_cannot_serve() -> None:
    goods = market(painter(IMAGEN_ULTRA, "0.06"), flash(), pro())
    decision = decide(request(Purpose.PRINT, size=Size.FOUR_K), market=goods, policy=QUALITY_FIRST)

    assert decision.chosen.route.model == "pro-3"
    cheaper = next(one for one in decision.rejected if one.route.model == "flash-2")
    assert cheaper.code == "preference"
    assert cheaper.reason == "cheaper at $0.0756 against $0.3053, but heroes and print go on pro-3 here"


def test_quality_first_takes_what_there_is() -> None:
    goods = market(painter("brush", "0.02"))
    assert decide(request(), market=goods, policy=QUALITY_FIRST).chosen.route.model == "brush"


def test_a_pin_goes_before_any_policy() -> None:
    decision = decide(
        request(), market=market(flash(), pro()), policy=CHEAPEST, situation=Situation(pin=ModelId("pro-3"))
    )
    assert decision.policy == "pinned"
    assert decision.chosen.route.model == "pro-3"
    assert decision.rejected[0].reason.endswith("but pro-3 was asked for by name")


def test_a_pinned_model_that_cannot_serve_names_the_unmet_need() -> None:
    pin = Situation(pin=ModelId("pro-3"))
    for goods in (market(flash(), pro(max_references=3)), market(pro(max_references=3))):
        with pytest.raises(NoEligibleRoute) as caught:
            decide(request(references=5), market=goods, policy=CHEAPEST, situation=pin)
        error = caught.value
        assert (error.field, error.value, error.remedy) == ("references", 5, "send at most 3 references")
        assert error.message == "pro-3 cannot serve this request: takes 3 references, the request has 5"


def test_a_pinned_model_with_too_long_a_prompt_says_so() -> None:
    pin = Situation(pin=ModelId("brush"))
    with pytest.raises(NoEligibleRoute) as caught:
        decide(
            request(prompt="x" * 1500),
            market=market(flash(), painter("brush", "0.02")),
            policy=CHEAPEST,
            situation=pin,
        )
    assert caught.value.field == "prompt"


def test_a_pinned_model_that_is_dead_names_its_successor_and_price() -> None:
    dead = painter("brush", "0.02", shutdown_on=date(2026, 8, 17))
    pin = Situation(pin=ModelId("brush"))

    with pytest.raises(ModelRetired) as caught:
        decide(
            request(),
            market=market(dead, flash(), heirs={"brush": ("flash-2", None)}),
            policy=CHEAPEST,
            situation=pin,
        )
    assert caught.value.field == "model"
    assert caught.value.remedy == "use its successor flash-2 ($0.0336), as https://example.test/prices says"
    assert caught.value.facts["successor"] == "flash-2"

    with pytest.raises(ModelRetired) as alone:
        decide(request(), market=market(dead, flash()), policy=CHEAPEST, situation=pin)
    assert alone.value.facts["successor"] is None


def test_a_pin_nobody_lists_is_an_unknown_model() -> None:
    with pytest.raises(UnknownModel):
        decide(request(), market=market(flash()), policy=CHEAPEST, situation=Situation(pin=ModelId("nobody")))


def test_the_pinned_policy_needs_a_model() -> None:
    with pytest.raises(InvalidValue, match="needs a model"):
        decide(request(), market=market(flash()), policy=POLICIES["pinned"])


def fallback_routes(*listings: Listing, situation: Situation | None = None) -> list[tuple[str, str]]:
    decision = decide(
        request(), market=market(*listings), policy=CHEAPEST, situation=situation or Situation()
    )
    return [
        (step.offer.route.upstream, step.offer.route.model)
        for step in decision.steps
        if step.after == "unavailable"
    ]


def test_the_same_model_elsewhere_comes_first_when_the_start_is_unavailable() -> None:
    other = flash("flash-3")
    assert fallback_routes(flash("flash-2"), other, elsewhere(flash("flash-2"), "vertex")) == [
        ("vertex", "flash-2"),
        ("google", "flash-3"),
    ]


def test_a_dearer_fallback_needs_leave() -> None:
    dear = elsewhere(flash(), "vertex", image_rate="60.00")
    leave = Situation(may_cost_more=True)

    assert fallback_routes(flash(), dear) == []
    assert fallback_routes(flash(), dear, situation=leave) == [("vertex", "flash-2")]
    decision = decide(request(), market=market(flash(), dear), policy=CHEAPEST, situation=leave)
    assert decision.steps[1].reason.endswith("dearer with your leave")


@pytest.mark.parametrize(
    ("grade", "line", "allowed"),
    [
        ("good", "flash", True),
        ("excellent", "flash", True),
        ("fair", "flash", False),
        ("excellent", "pro", False),
        (None, "flash", False),
        ("handsome", "flash", False),
    ],
)
def test_a_less_able_model_never_stands_in(grade: str | None, line: str, allowed: bool) -> None:
    opinion = None if grade is None else Opinion(grade=grade, provenance=provenance())
    other = listing(
        card("m", line=line, text_rendering=opinion), token_price("m", rates=("1.50", "7.50", "30.00"))
    )
    assert fallback_routes(flash("flash-2"), other) == ([("google", "m")] if allowed else [])


def test_at_most_two_fallbacks_are_named() -> None:
    many = [elsewhere(flash(), f"upstream-{number}", number) for number in range(1, 5)]
    assert len(fallback_routes(flash(), *many)) == 2
