"""The small words: ratios, purposes, routes, outcomes, budgets and requests."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from keeprate.domain.attempts import Attempt, AttemptKey, NewAttempt
from keeprate.domain.budgets import Budget, Standing, Window
from keeprate.domain.errors import InvalidValue, Throttled
from keeprate.domain.geometry import SQUARE, Pixels, Ratio, Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.needs import needs_of
from keeprate.domain.outcomes import AttemptState, Outcome, OutcomeKind
from keeprate.domain.provenance import PROVENANCE_VERSION, Provenance
from keeprate.domain.purposes import (
    Asset,
    Fidelity,
    Lane,
    Layout,
    Purpose,
    ReferenceRole,
    TextAmount,
    Thinking,
    word,
)
from keeprate.domain.quotes import Quote
from keeprate.domain.requests import ImageRequest, Reference, Video
from keeprate.domain.routes import GEMINI_API, ModelId, Route
from keeprate.domain.scopes import LOCAL_OWNER, Role
from keeprate.domain.verdicts import Verdict, VerdictKind

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_ratio_is_read_and_told_as_the_wire_writes_it() -> None:
    assert Ratio.parse("16:9") == Ratio(16, 9)
    assert str(Ratio.parse("1:8")) == "1:8"
    assert Ratio.parse("2:2") != SQUARE
    assert str(Pixels(1376, 768)) == "1376x768"


@pytest.mark.parametrize("text", ["", "16x9", "0:1", "1:0", "100:1", "1:1:1", "a:b", "16:9\n", "-1:2", "١:٢"])
def test_a_ratio_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Ratio.parse(text)
    assert caught.value.field == "ratio"


def test_a_word_is_known_or_the_remedy_lists_those_that_are() -> None:
    assert word(Purpose, "hero", field="purpose") is Purpose.HERO
    with pytest.raises(InvalidValue) as caught:
        word(Lane, "slow", field="lane")
    assert caught.value.remedy == "use one of: live, flex, priority, batch"


@pytest.mark.parametrize(
    ("thinking", "told"),
    [
        (Thinking.NONE, "google/m@2K"),
        (Thinking.FIXED, "google/m@2K"),
        (Thinking.HIGH, "google/m@2K+high"),
    ],
)
def test_a_route_tells_its_thinking_level_where_one_can_be_chosen(thinking: Thinking, told: str) -> None:
    assert str(Route(upstream="google", model=ModelId("m"), size=Size.TWO_K, thinking=thinking)) == told


def test_an_outcome_keeps_the_upstreams_own_word() -> None:
    assert str(Outcome(kind=OutcomeKind.IMAGE)) == "image"
    assert str(Outcome(kind=OutcomeKind.BLOCKED, raw_reason="IMAGE_SAFETY")) == "blocked(IMAGE_SAFETY)"


def test_money_moves_only_while_an_attempt_is_not_settled() -> None:
    moving = {state for state in AttemptState if not state.is_settled}
    assert moving == {AttemptState.INTENT, AttemptState.SENT, AttemptState.UNKNOWN}


@pytest.mark.parametrize(
    ("limit", "spent", "held", "remaining", "used"),
    [
        (100, 30, 20, 50, 50),
        (100, 90, 20, 0, 110),
        (0, 0, 0, 0, 100),
        (1000, 899, 0, 101, 89),
        (1000, 900, 0, 100, 90),
        (3, 1, 0, 2, 33),
    ],
)
def test_a_standing_tells_what_is_left_and_used(
    limit: int, spent: int, held: int, remaining: int, used: int
) -> None:
    cap = Budget(id="day", workspace="default", key=None, window=Window.DAY, limit=NanoUSD(limit))
    standing = Standing(budget=cap, starts_at=NOW, resets_at=None, spent=NanoUSD(spent), held=NanoUSD(held))
    assert (standing.remaining, standing.used_percent) == (remaining, used)


def test_a_band_is_multiplied_whole() -> None:
    quote = Quote(
        low=NanoUSD(1), expected=NanoUSD(2), worst=NanoUSD(3), lines=(), price_id="p", max_output_tokens=9
    )
    thrice = quote.times(3)
    assert (thrice.low, thrice.expected, thrice.worst, thrice.max_output_tokens) == (3, 6, 9, 9)


def test_one_key_always_makes_one_id_and_no_other_key_makes_it() -> None:
    parts = [
        ("w", "i", 0, 0),
        ("w", "i", 0, 1),
        ("w", "i", 1, 0),
        ("wi", "", 0, 0),
        ("w", "i0", 0, 0),
        ("w", "i", 10, 0),
    ]
    ids = [AttemptKey(workspace=w, intent=i, step=step, attempt_no=no).id for w, i, step, no in parts]

    assert len(set(ids)) == len(parts)
    assert ids[0] == AttemptKey(workspace="w", intent="i", step=0, attempt_no=0).id


def test_an_attempt_is_called_by_its_id() -> None:
    new = NewAttempt(
        id="a1", key=AttemptKey(workspace="default", intent="i", step=0, attempt_no=0), api_key=None, owner="o",
        route=Route(upstream="google", model=ModelId("m"), size=Size.ONE_K), surface=GEMINI_API, lane=Lane.LIVE,
        purpose=Purpose.HERO, simulated=True, prompt="x", request_json="{}", decision_json="{}", payload_sha256="0",
        quote_low=NanoUSD(1), quote_expected=NanoUSD(1), hold=NanoUSD(1), price_id="p", created_at=NOW,
    )  # fmt: skip
    attempt = Attempt(
        new=new, state=AttemptState.INTENT, held=NanoUSD(1), outcome=None, charge=None, overrun=NanoUSD(0),
        sent_at=None, settled_at=None, reply_sha256=None, image_sha256s=(), model_version=None, response_id=None,
    )  # fmt: skip
    assert attempt.id == "a1"
    assert attempt.follows is None


def test_the_person_at_the_machine_owns_it() -> None:
    assert LOCAL_OWNER.roles == {Role.OWNER}
    assert LOCAL_OWNER.key is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prompt": " \n"}, "prompt"),
        ({"variants": 0}, "variants"),
        ({"variants": 1001}, "variants"),
        ({"deadline_s": 0}, "deadline"),
    ],
)
def test_a_request_no_route_could_serve_is_refused(fields: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        ImageRequest(**({"prompt": "x", "purpose": Purpose.HERO} | fields))  # type: ignore[arg-type]
    assert caught.value.field == field


def test_needs_hold_everything_but_the_words() -> None:
    face = Reference(
        sha256="0" * 64, mime="image/png", width=1, height=1, bytes_count=1, role=ReferenceRole.CHARACTER
    )
    asked = ImageRequest(
        prompt="füchse", purpose=Purpose.SOCIAL, references=(face,), video=Video(uri="v"), system="kurz", seed=0,
        continues="a", thinking=Thinking.HIGH, deadline_s=60,
    )  # fmt: skip
    needs = needs_of(asked)

    assert needs.prompt_bytes == 7 + 4
    assert needs.roles == (ReferenceRole.CHARACTER,)
    assert needs.references == 1
    assert (needs.video, needs.system, needs.seed, needs.continues) == (True, True, True, True)
    assert "füchse" not in repr(needs)
    assert needs.implied == frozenset()


@pytest.mark.parametrize(
    ("purpose", "given", "text", "layout", "fidelity", "asset", "implied"),
    [
        (Purpose.SOCIAL, {}, "none", "simple", "loose", "draft", set()),
        (Purpose.TEXT_BOARD, {}, "dense", "simple", "loose", "draft", {"text"}),
        (Purpose.TEXT_BOARD, {"text": TextAmount.NONE}, "none", "simple", "loose", "draft", set()),
        (Purpose.INFOGRAPHIC, {}, "dense", "complex", "loose", "draft", {"text", "layout"}),
        (Purpose.INFOGRAPHIC, {"layout": Layout.SIMPLE}, "dense", "simple", "loose", "draft", {"text"}),
        (Purpose.CHARACTER_LOCK, {}, "none", "simple", "strict", "draft", {"reference_fidelity"}),
        (
            Purpose.CHARACTER_LOCK,
            {"reference_fidelity": Fidelity.LOOSE},
            "none",
            "simple",
            "loose",
            "draft",
            set(),
        ),
        (Purpose.PRINT, {}, "none", "simple", "loose", "final", {"asset"}),
        (Purpose.FINAL_HERO, {"asset": Asset.DRAFT}, "none", "simple", "loose", "draft", set()),
    ],
)
def test_a_purpose_fills_in_what_was_left_unset(
    purpose: Purpose,
    given: dict[str, object],
    text: str,
    layout: str,
    fidelity: str,
    asset: str,
    implied: set[str],
) -> None:
    needs = needs_of(ImageRequest(prompt="x", purpose=purpose, **given))  # type: ignore[arg-type]
    assert (needs.text, needs.layout, needs.reference_fidelity, needs.asset) == (
        text,
        layout,
        fidelity,
        asset,
    )
    assert needs.implied == implied


def test_an_answer_to_a_quota_says_how_long_to_wait() -> None:
    error = Throttled("too many", retry_after_s=39.0, remedy="wait")
    assert error.retry_after_s == 39.0
    assert error.facts == {"retry_after_s": 39.0}
    assert (error.http_status, error.exit_code) == (429, 5)


def test_a_verdict_names_who_judged_and_when() -> None:
    verdict = Verdict(
        workspace="default", attempt_id="a1", image_sha256="0", kind=VerdictKind.REJECTED, reason="drift",
        cleanup_minutes=4, judge="ana", judged_at=NOW,
    )  # fmt: skip
    assert (verdict.kind, verdict.judge) == ("rejected", "ana")


def test_provenance_carries_its_version() -> None:
    assert {field.name for field in fields(Provenance)} >= {
        "attempt_id",
        "image_sha256",
        "simulated",
        "version",
    }
    assert Provenance.__dataclass_fields__["version"].default == PROVENANCE_VERSION
