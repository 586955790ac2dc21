"""What holds for any market and any request."""

from hypothesis import given, settings
from hypothesis import strategies as st

from keeprate.domain.decisions import Decision
from keeprate.domain.errors import NoEligibleRoute
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Asset, Fidelity, Layout, Purpose, Review, TextAmount
from keeprate.domain.requests import ImageRequest
from keeprate.routing.decide import decide
from keeprate.routing.listings import Listing
from keeprate.routing.market import Market
from keeprate.routing.policies import POLICIES
from tests.trust_counts import count
from tests.unit.routing.goods import card, flash, listing, market, painter, request, token_price

CHEAPEST = POLICIES["cheapest"]
# A busy machine is no failure; decisions have a benchmark of their own.
PATIENT = settings(deadline=None, max_examples=count("routing_promises", quick=100, full=2000))
UNPINNED = [policy for name, policy in POLICIES.items() if name != "pinned"]

rates = st.integers(min_value=1, max_value=200).map(lambda dollars: f"{dollars}.00")
sizes = st.lists(st.sampled_from([Size.ONE_K, Size.TWO_K, Size.FOUR_K]), min_size=1, max_size=3, unique=True)


@st.composite
def listings(draw: st.DrawFn, number: int) -> Listing:
    name = f"model-{number}"
    if draw(st.booleans()):
        return painter(name, f"0.{draw(st.integers(min_value=1, max_value=99)):02d}", *draw(sizes))
    facts = {
        "line": draw(st.sampled_from(["flash", "pro", "lite"])),
        "sizes": tuple(draw(sizes)),
        "max_references": draw(st.integers(min_value=0, max_value=14)),
        "accepts_grounding": draw(st.booleans()),
    }
    return listing(card(name, **facts), token_price(name, rates=(draw(rates), draw(rates), draw(rates))))


@st.composite
def several(draw: st.DrawFn) -> list[Listing]:
    count = draw(st.integers(min_value=1, max_value=8))
    return [draw(listings(number)) for number in range(count)]


requests = st.builds(
    request,
    st.sampled_from(list(Purpose)),
    references=st.integers(min_value=0, max_value=6),
    prompt=st.text(min_size=1, max_size=300).filter(str.strip),
    size=st.sampled_from([Size.ONE_K, Size.TWO_K, Size.FOUR_K]),
    variants=st.integers(min_value=1, max_value=9),
    text=st.sampled_from([None, *TextAmount]),
    layout=st.sampled_from([None, *Layout]),
    reference_fidelity=st.sampled_from([None, *Fidelity]),
    asset=st.sampled_from([None, *Asset]),
    review=st.sampled_from(list(Review)),
    grounding=st.booleans(),
)


def decided(goods: Market, asked: ImageRequest) -> Decision | None:
    try:
        return decide(asked, market=goods, policy=CHEAPEST)
    except NoEligibleRoute:
        return None


@PATIENT
@given(several(), requests)
def test_a_cheaper_eligible_model_never_loses_under_cheapest(
    goods: list[Listing], asked: ImageRequest
) -> None:
    decision = decided(market(*goods), asked)
    if decision is None:
        return
    for one in goods:
        alone = decided(market(one), asked)
        assert alone is None or decision.quote.expected <= alone.quote.expected


@PATIENT
@given(several(), requests)
def test_adding_an_offer_never_raises_the_cost(goods: list[Listing], asked: ImageRequest) -> None:
    before, after = decided(market(*goods[:-1]), asked), decided(market(*goods), asked)
    if before is not None:
        assert after is not None
        assert after.quote.expected <= before.quote.expected


@PATIENT
@given(several(), requests, st.sampled_from(UNPINNED))
def test_a_decision_is_whole_and_the_same_every_time(
    goods: list[Listing], asked: ImageRequest, policy
) -> None:
    offers = [*goods, flash("always", accepts_grounding=True)]
    decision = decide(asked, market=market(*offers), policy=policy)

    assert decision == decide(asked, market=market(*offers), policy=policy)
    named = {decision.chosen.route.model} | {one.route.model for one in decision.rejected}
    assert named == {one.card.model for one in offers}
    assert len(decision.rejected) == len(offers) - 1
    for quote in (decision.quote, *(step.offer.quote for step in decision.steps)):
        assert 0 <= quote.low <= quote.expected <= quote.worst
    assert decision.attempts * decision.chosen.images_per_attempt >= asked.variants
    assert (decision.attempts - 1) * decision.chosen.images_per_attempt < asked.variants


@PATIENT
@given(several(), requests, st.sampled_from(UNPINNED))
def test_no_fallback_is_dearer_than_the_start(goods: list[Listing], asked: ImageRequest, policy) -> None:
    decision = decide(asked, market=market(*goods, flash("always")), policy=policy)
    for step in decision.steps:
        if step.after == "unavailable":
            assert step.offer.quote.expected <= decision.chosen.quote.expected


@PATIENT
@given(requests, st.text(min_size=1, max_size=200).filter(str.strip))
def test_the_wording_of_a_prompt_never_changes_the_route(asked: ImageRequest, words: str) -> None:
    """Two prompts of one length, whatever they say, are decided alike by every policy."""
    padded = "x" * len(words.encode())
    offers = market(flash("always"), painter("brush", "0.02"))
    for policy in UNPINNED:
        said = decide(_with(asked, words), market=offers, policy=policy)
        assert said == decide(_with(asked, padded), market=offers, policy=policy)


def _with(asked: ImageRequest, prompt: str) -> ImageRequest:
    return request(asked.purpose, prompt=prompt, references=len(asked.references), text=asked.text)
