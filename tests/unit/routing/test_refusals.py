"""When nothing can serve: the field, the value, and what would help."""

import pytest

from keeprate.domain.errors import NoEligibleRoute
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.requests import ImageRequest, Video
from keeprate.routing.cases import Situation
from keeprate.routing.decide import decide
from keeprate.routing.market import Market
from keeprate.routing.policies import POLICIES
from tests.unit.routing.goods import flash, listing, market, painter, pro, request, upstream
from tests.unit.routing.test_six_model import NOVEMBER, official


def refusal(goods: Market, asked: ImageRequest, situation: Situation | None = None) -> NoEligibleRoute:
    with pytest.raises(NoEligibleRoute) as caught:
        decide(asked, market=goods, policy=POLICIES["flash-first"], situation=situation or Situation())
    return caught.value


@pytest.mark.parametrize(
    ("asked", "field", "value", "remedy"),
    [
        (request(references=20), "references", 20, "send at most 14 references"),
        (request(ratio=Ratio(5, 7)), "ratio", "5:7", "ask for one of: 1:1"),
        (request(prompt="x" * 500_000), "prompt", "500000 bytes", "shorten the prompt to 393216 bytes"),
    ],
)
def test_one_field_that_rules_out_everything_is_named_with_the_farthest_reach(
    asked: ImageRequest, field: str, value: object, remedy: str
) -> None:
    error = refusal(official(NOVEMBER), asked)

    assert (error.field, error.value) == (field, value)
    assert str(error.remedy).startswith(remedy)
    assert error.message.startswith(f"no route serves {field} {value}; at best: ")


def test_needs_that_no_single_route_meets_together_name_the_nearest_route() -> None:
    goods = market(flash(sizes=(Size.ONE_K,)), pro(accepts_video=False, max_references=2))
    error = refusal(goods, request(size=Size.FOUR_K, references=3, video=Video(uri="v")))

    assert error.field == "size"
    assert error.message == (
        "no route serves all of this request; the nearest is flash-2 on google: no 4K output (has 1K)"
    )
    assert error.remedy == "for flash-2 on google: ask for one of: 1K"


def test_every_route_has_its_reason_in_the_facts() -> None:
    error = refusal(market(flash(), painter("brush", "0.02")), request(size=Size.HALF_K))
    assert error.facts["rejections"] == {
        "google/flash-2@512": "no 512 output (has 1K, 2K, 4K)",
        "google/brush@512": "no 512 output (has 1K)",
    }


def test_a_market_of_the_dead_says_so() -> None:
    dead = flash(shutdown_on=NOVEMBER)
    error = refusal(market(dead), request())
    assert error.field == "upstream"
    assert error.message == "no upstream has a model that answers on 2026-11-21"


def test_an_upstream_nobody_configured_says_so() -> None:
    error = refusal(market(flash()), request(), Situation(upstream="vertex"))
    assert (error.field, error.value) == ("upstream", "vertex")


def test_two_upstreams_are_told_apart_in_the_reasons() -> None:
    second = flash()
    goods = market(flash(), listing(second.card, second.price, on="vertex", place=1))
    error = refusal(goods, request(size=Size.HALF_K))
    assert error.facts["rejections"] == {
        "google/flash-2@512": "on google: no 512 output (has 1K, 2K, 4K)",
        "vertex/flash-2@512": "on vertex: no 512 output (has 1K, 2K, 4K)",
    }
    assert goods.upstreams == ("google", "vertex")
    assert upstream("vertex").name == "vertex"


def test_a_long_prompt_leaves_the_models_that_can_read_it() -> None:
    goods = market(flash(), painter("brush", "0.02"), painter("wide", "0.03", max_prompt_tokens=None))
    decision = decide(request(prompt="x" * 1500), market=goods, policy=POLICIES["cheapest"])

    assert decision.chosen.route.model == "wide"
    brush = next(one for one in decision.rejected if one.route.model == "brush")
    assert (brush.code, brush.reason) == ("prompt", "takes a prompt of 480 tokens, this one is put at 500")
