"""A decision in words, and as the plain values that are printed and kept."""

import json
from datetime import date

from keeprate.domain.money import usd
from keeprate.domain.purposes import Lane, Purpose, TextAmount
from keeprate.routing.decide import decide
from keeprate.routing.explanations import as_json, explain
from keeprate.routing.policies import POLICIES
from tests.unit.routing.goods import (
    card,
    flash,
    half_price,
    listing,
    market,
    painter,
    pro,
    request,
    token_price,
)
from tests.unit.routing.test_six_model import NOVEMBER, official

PROMISED = {
    "model",
    "surface",
    "upstream",
    "size",
    "lane",
    "policy",
    "reason",
    "steps",
    "rejected",
    "quote",
    "successor_of",
}


def test_the_plain_values_hold_every_promised_key() -> None:
    told = as_json(decide(request(), market=market(flash(), pro()), policy=POLICIES["flash-first"]))

    assert set(told) >= PROMISED
    assert told["quote"] == {"low_usd": "0.0336", "expected_usd": "0.033606", "worst_usd": "0.0336465"}
    assert [(one["model"], one["code"]) for one in told["rejected"]] == [("pro-3", "dearer")]  # type: ignore[union-attr]
    assert json.loads(json.dumps(told)) == told


def test_a_succession_is_told() -> None:
    told = as_json(decide(request(Purpose.HERO), market=official(NOVEMBER), policy=POLICIES["six-model"]))
    assert told["successor_of"] == "imagen-4.0-generate-001"
    assert told["founding_model"] == "imagen-4.0-generate-001"
    assert told["thinking"] == "high"


def test_waiting_is_told_in_both() -> None:
    offers = market(listing(card("m"), token_price("m", lanes=half_price(Lane.BATCH))))
    decision = decide(request(deadline_s=90_000), market=offers, policy=POLICIES["cheapest"])

    (option,) = as_json(decision)["options"]  # type: ignore[misc]
    assert option["lane"] == "batch"
    assert option["buyable"] is False
    assert "or wait: batch would cost $" in explain(decision)


def test_the_words_say_what_for_how_much_why_what_next_and_why_not() -> None:
    asked = request(text=TextAmount.SHORT, failure_cost=usd("0.01"))
    words = explain(decide(asked, market=market(flash(), pro(), painter("brush", "0.02", released_on=date(2027, 1, 1))), policy=POLICIES["flash-first"]))  # fmt: skip

    assert words.splitlines()[:3] == [
        "flash-2 at 1K on google, live lane",
        "costs $0.033606 expected, $0.0336 at least, $0.0336465 at most",
        words.splitlines()[2],
    ]
    assert "because Flash first: " in words
    assert "  image: 1120 tokens at $0.00003 (https://example.test/prices)" in words
    assert "  prompt: 4 (0 to 31) tokens at $0.0000015" in words
    assert "after reject: after a rejected image, Pro for $0.1" in words
    assert "not google/brush@1K: not released before 2027-01-01" in words
    assert "stop rule: same prompt, ratio, references, acceptance bar on both" in words


def test_several_attempts_are_counted_and_other_policies_have_no_stop_rule() -> None:
    words = explain(
        decide(request(variants=6), market=market(painter("brush", "0.02")), policy=POLICIES["cheapest"])
    )
    assert "at most for 2 attempts" in words
    assert "stop rule" not in words
