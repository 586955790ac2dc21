"""What Keeprate adds to other dialects' requests and answers."""

import pytest

from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import Outcome, OutcomeKind
from keeprate.domain.routes import ModelId, Route
from keeprate.gateway.exchange import Headers
from keeprate.gateway.marks import Marks, header_text, hints_of, with_hints
from keeprate.workflows.options import Options

NONE = Headers([])


def test_hints_come_in_headers_and_the_body_wins() -> None:
    headers = Headers(
        [(b"X-Keeprate-Purpose", b"hero"), (b"x-keeprate-failure-cost", b"2.5"), (b"x-other", b"1")]
    )
    hints = hints_of(headers, {"purpose": "print", "grounding": True})
    options = with_hints(Options(), hints)
    assert (options.purpose, options.failure_cost, options.grounding) == ("print", "2.5", True)


def test_numbers_and_flags_may_come_as_text() -> None:
    hints = hints_of(Headers([(b"x-keeprate-seed", b"7"), (b"x-keeprate-cache", b"true")]))
    assert (hints.seed, hints.cache, hints.single_flight) == (7, True, None)


@pytest.mark.parametrize(
    "member",
    [
        {"output": "/etc/passwd"},
        {"references": ["/etc/passwd"]},
        {"overwrite": True},
        {"seed": "many"},
        ["hero"],
    ],
)
def test_what_is_no_hint_is_refused_by_name(member: object) -> None:
    with pytest.raises(InvalidValue) as refused:
        hints_of(NONE, member)
    assert refused.value.field == "keeprate"


def test_without_hints_the_options_stay() -> None:
    assert with_hints(Options(purpose="hero"), hints_of(NONE)) == Options(purpose="hero")


def test_marks_name_what_is_known_and_nothing_else() -> None:
    route = Route(upstream="gemini", model=ModelId("m"), size=Size.ONE_K)
    marks = Marks(
        attempt_id="att_1",
        route=route,
        reason="cheapest × 2 – “so far”\r\nx-evil: 1",
        quote=NanoUSD(134_000_000),
        outcome=Outcome(kind=OutcomeKind.IMAGE),
        cost=NanoUSD(0),
        simulated=True,
    )
    told = dict(marks.headers())
    assert told["x-keeprate-quote-usd"] == "0.134"
    assert told["x-keeprate-cost-usd"] == "0"
    assert told["x-keeprate-reason"] == 'cheapest x 2 - "so far" x-evil: 1'
    assert told["x-keeprate-simulated"] == "true"
    assert Marks().headers() == []


@pytest.mark.parametrize("text", ["a\nb", "é", "\u2028", "\x00x", "日本"])
def test_a_header_field_is_one_line_of_ascii(text: str) -> None:
    told = header_text(text)
    assert told.isascii()
    assert "\n" not in told
