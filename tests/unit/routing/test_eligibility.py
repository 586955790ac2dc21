"""Every capability is a hard need with a code and a sentence of its own."""

from datetime import date
from types import MappingProxyType

import pytest

from keeprate.catalogue.cards import Provenance
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.needs import needs_of
from keeprate.domain.purposes import Lane, ReferenceRole, Thinking
from keeprate.domain.requests import ImageRequest, Video
from keeprate.routing.cases import Situation, shape_of
from keeprate.routing.eligibility import unmet_needs, unmet_prompt
from keeprate.routing.listings import Conversation, Listing
from tests.unit.routing.goods import (
    DAY,
    card,
    flash,
    half_price,
    image_price,
    listing,
    painter,
    provenance,
    reference,
    request,
    thinking,
    token_price,
)

CALM = Situation()


def unmet(of: Listing, asked: ImageRequest, situation: Situation = CALM) -> list[tuple[str, str, str]]:
    """Return (code, field, reason) of each unmet need."""
    found = unmet_needs(of, shape_of(needs_of(asked), situation), DAY)
    return [(need.code, need.field, need.reason) for need in found]


def test_a_route_that_can_do_everything_has_no_unmet_need() -> None:
    asked = request(
        references=3,
        size=Size.FOUR_K,
        ratio=Ratio(16, 9),
        video=Video(uri="https://example.test/v"),
        grounding=True,
        system="be brief",
        seed=7,
        continues="an attempt",
    )
    assert unmet(flash(), asked) == []


@pytest.mark.parametrize(
    ("of", "asked", "expected"),
    [
        (
            flash(released_on=date(2027, 1, 1)),
            request(),
            ("unreleased", "model", "not released before 2027-01-01"),
        ),
        (flash(shutdown_on=DAY), request(), ("retired", "model", "was shut down on 2026-11-21")),
        (
            listing(card("m"), None),
            request(),
            ("unpriced", "model", "has no price on 2026-11-21, so it is never offered"),
        ),
        (flash(), request(size=Size.HALF_K), ("size", "size", "no 512 output (has 1K, 2K, 4K)")),
        (
            listing(card("m"), token_price("m", image_tokens=MappingProxyType({Size.ONE_K: 1}))),
            request(size=Size.TWO_K),
            ("unpriced", "size", "has no price for 2K, so it is never offered"),
        ),
        (flash(), request(ratio=Ratio(1, 8)), ("ratio", "ratio", "no 1:8 output")),
        (
            flash(max_references=1),
            request(references=2),
            ("references", "references", "takes 1 reference, the request has 2"),
        ),
        (
            painter("brush", "0.02"),
            request(references=1),
            ("references", "references", "takes no references, the request has 1"),
        ),
        (flash(accepts_video=False), request(video=Video(uri="v")), ("video", "video", "takes no video")),
        (
            flash(accepts_grounding=False),
            request(grounding=True),
            ("grounding", "grounding", "cannot ground in a search"),
        ),
        (
            flash(accepts_system=False),
            request(system="be brief"),
            ("system", "system", "takes no system instruction"),
        ),
        (flash(accepts_seed=False), request(seed=1), ("seed", "seed", "takes no seed")),
        (
            flash(thinking=thinking((Thinking.MINIMAL, 1, 2))),
            request(thinking=Thinking.HIGH),
            ("thinking", "thinking", "no thinking level high (has minimal)"),
        ),
        (
            flash(),
            request(thinking=Thinking.LOW),
            ("thinking", "thinking", "no thinking level low (has none)"),
        ),
        (
            flash(max_output_tokens=1000),
            request(),
            ("output_tokens", "size", "answers with at most 1000 tokens, this image needs 1120"),
        ),
        (
            flash(accepts_conversation=False),
            request(continues="a"),
            ("conversation", "continues", "takes no second turn"),
        ),
    ],
)
def test_each_unmet_need_has_a_code_a_field_and_a_sentence(
    of: Listing, asked: ImageRequest, expected: tuple[str, str, str]
) -> None:
    assert unmet(of, asked) == [expected]


def test_several_unmet_needs_are_all_told() -> None:
    asked = request(references=1, size=Size.FOUR_K, grounding=True)
    assert [code for code, _, _ in unmet(painter("brush", "0.02"), asked)] == [
        "size",
        "references",
        "grounding",
    ]


def test_a_model_that_does_not_think_serves_who_asks_for_no_thinking() -> None:
    assert unmet(flash(), request(thinking=Thinking.NONE)) == []


def test_sub_limits_bind_once_references_are_told_apart() -> None:
    objects = tuple(reference() for _ in range(12))
    characters = tuple(reference(ReferenceRole.CHARACTER) for _ in range(5))

    assert unmet(flash(), request(references=12)) == []
    assert unmet(flash(), ImageRequest(prompt="x", purpose=request().purpose, references=characters)) == [
        ("reference_role", "references", "takes 4 character references, the request has 5")
    ]
    mixed = (*objects[:11], characters[0])
    assert unmet(flash(), ImageRequest(prompt="x", purpose=request().purpose, references=mixed)) == [
        ("reference_role", "references", "takes 10 object references, the request has 11")
    ]


def test_a_role_without_a_limit_of_its_own_is_bound_by_the_total() -> None:
    styles = tuple(reference(ReferenceRole.STYLE) for _ in range(14))
    asked = ImageRequest(prompt="x", purpose=request().purpose, references=styles)
    assert unmet(flash(), asked) == []


def test_a_conversation_stays_with_the_upstream_and_model_that_made_it() -> None:
    past = Conversation("google", flash().card.model, signed=True)
    asked = request(continues="a")

    assert unmet(flash(), asked, Situation(conversation=past)) == []
    assert unmet(flash("other"), asked, Situation(conversation=past)) == [
        ("conversation", "continues", "the conversation belongs to flash-2 on google")
    ]
    assert unmet(flash(signs_thoughts=False), asked, Situation(conversation=past)) == [
        ("signatures", "continues", "cannot take back signed thoughts")
    ]


def test_another_upstream_than_the_one_asked_for_is_out() -> None:
    assert unmet(flash(), request(), Situation(upstream="vertex")) == [
        ("upstream", "upstream", "on google, but vertex was asked for")
    ]


def test_a_lane_must_be_listed_for_the_model() -> None:
    note = "one price per image and no batch"
    refusal: dict[Lane, Provenance] = {Lane.BATCH: provenance(note)}
    plain = listing(card("m"), token_price("m"))
    told = listing(card("m"), token_price("m", unlisted_lanes=MappingProxyType(refusal)))
    sold = listing(card("m"), token_price("m", lanes=half_price(Lane.BATCH)))
    batch = Situation(lane=Lane.BATCH)

    assert unmet(plain, request(), batch) == [("lane", "lane", "not sold in the batch lane (has live)")]
    assert unmet(told, request(), batch)[0][2].endswith(f": {note}")
    assert unmet(sold, request(), batch) == []


def test_a_deadline_shorter_than_the_lane_rules_it_out() -> None:
    sold = listing(card("m"), token_price("m", lanes=half_price(Lane.FLEX)))
    flex = Situation(lane=Lane.FLEX)

    assert unmet(sold, request(deadline_s=899), flex) == [
        ("deadline", "deadline", "the flex lane may take 900 s, longer than the deadline")
    ]
    assert unmet(sold, request(deadline_s=900), flex) == []
    assert unmet(sold, request(), flex) == []
    assert unmet(sold, request(deadline_s=1)) == []


def test_a_prompt_is_held_against_the_token_limit_at_three_bytes_a_token() -> None:
    brush = painter("brush", "0.02")

    assert unmet_prompt(brush, 1440) is None
    need = unmet_prompt(brush, 1441)
    assert need is not None
    assert need.reason == "takes a prompt of 480 tokens, this one is put at 481"
    assert need.remedy == "shorten the prompt to 1440 bytes (about 480 tokens)"
    assert unmet_prompt(listing(card("m", max_prompt_tokens=None), image_price("m", "0.02")), 10**9) is None
