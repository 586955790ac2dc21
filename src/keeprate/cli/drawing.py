"""Decisions, results and ledger rows as a person reads them."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from keeprate.cli.failures import clean
from keeprate.cli.layout import Parts
from keeprate.cli.output import Facts, money
from keeprate.domain.attempts import Attempt
from keeprate.domain.decisions import Decision, Rejection, Step
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.domain.quotes import Offer, Quote
from keeprate.routing.refusals import ABSENT
from keeprate.workflows.results import Result, remedy_for

SIMULATED = Text("simulated: a stand-in answers, no money moves", style="yellow")
_BELOW = "    "
_LONGEST_PROMPT = 200
_STATE_STYLES = {
    AttemptState.IMAGE: "green",
    AttemptState.UNKNOWN: "bold yellow",
    AttemptState.BLOCKED: "red",
    AttemptState.FAILED: "red",
    AttemptState.EMPTY: "red",
    AttemptState.TEXT_ONLY: "red",
}


def decision_drawn(decision: Decision, *, simulated: bool, explain: bool | None) -> RenderableType:
    """Return the route taken, its price band, the reason, and what was not taken.

    `explain` None stands for a command that has no --explain to tell people of.
    """
    chosen = decision.chosen
    rows: list[tuple[str, str | Text]] = [
        ("route", offer_text(chosen)),
        ("price", quote_text(decision.quote, decision.attempts)),
        ("reason", decision.reason),
        ("policy", f"{decision.policy}, version {decision.policy_version}"),
    ]
    if decision.successor_of is not None:
        rows.append(("succeeds", f"{decision.successor_of}, which is gone"))
    rows += [("then", _later_step(step)) for step in decision.steps[1:]]
    rows += [("or wait", option.sentence) for option in decision.options]
    if explain:
        rows += [("made of", line) for line in quote_lines(chosen.quote)]
        rows += [("signal", f"{one.name}: {one.field} = {one.value}") for one in decision.signals]
    if simulated:
        rows.append(("note", SIMULATED))
    return Group(Facts(*rows), *_rejections_drawn(decision.rejected, explain=explain))


def offer_text(offer: Offer) -> Text:
    """Return model, size, thinking, lane and upstream of an offer."""
    route = offer.route
    text = Text(str(route.model), style="bold")
    thinking = "" if route.thinking in {"none", "fixed"} else f", thinking {route.thinking}"
    text.append(f"  {route.size}{thinking}, {offer.lane}, by {route.upstream}", style="not bold")
    return text


def quote_text(quote: Quote, attempts: int = 1) -> Text:
    """Return the band: expected first, since that is what one plans with."""
    text = Text(f"{money(quote.expected)} expected", style="bold")
    calls = f" for {attempts} calls" if attempts > 1 else ""
    text.append(f", {money(quote.low)} at least, {money(quote.worst)} at most{calls}", style="not bold")
    return text


def quote_lines(quote: Quote) -> list[str]:
    """Return each part of a quote: how much of it, at what price, by which source."""
    return [
        f"{line.part}: {_count(line.count_low, line.count_expected, line.count_worst)} "
        f"{line.unit}s × {money(line.each)} ({line.source})"
        for line in quote.lines
    ]


def result_drawn(result: Result) -> RenderableType:
    """Return what came, what it cost, and what to do next."""
    kind = result.outcome.kind
    rows: list[tuple[str, str | Text]] = [("outcome", _outcome_text(result))]
    if result.outcome.text and kind is not OutcomeKind.IMAGE:
        rows.append(("it said", result.outcome.text))
    rows += [
        ("image", f"{image.width}×{image.height} {image.mime.removeprefix('image/').upper()}")
        for image in result.images
    ]
    rows += [("file", str(path)) for path in result.files]
    rows.append(("charge", _charge_text(result)))
    rows += [("attempt", row.id) for row in result.attempts]
    rows += [("note", notice) for notice in result.notices]
    if result.simulated:
        rows.append(("note", SIMULATED))
    if kind is not OutcomeKind.IMAGE:
        rows.append(("try", remedy_for(result.outcome, result.attempts)))
    return Facts(*rows)


def result_in_short(result: Result, *, names_attempts: bool = False) -> RenderableType:
    """Return what one must know of a purchase where nothing else is wanted, or nothing else can be shown."""
    rows: list[tuple[str, str | Text]] = []
    if result.outcome.kind is not OutcomeKind.IMAGE or result.is_partial:
        rows.append(("outcome", _outcome_text(result)))
    rows += [("file", str(path)) for path in result.files]
    rows.append(("charge", _charge_text(result)))
    if result.simulated:
        rows.append(("note", SIMULATED))
    if names_attempts or not result.files:
        rows += [("attempt", row.id) for row in result.attempts]
    return Facts(*rows)


def attempts_drawn(rows: Sequence[Attempt]) -> RenderableType:
    """Return ledger rows, each with its prompt: an id is too long to share its line with much."""
    return Group(*(line for row in rows for line in _attempt_lines(row)))


def _attempt_lines(row: Attempt) -> tuple[RenderableType, ...]:
    route = row.new.route
    state = Text(str(row.state), style=_STATE_STYLES.get(row.state, ""))
    if row.outcome is not None and row.outcome.raw_reason not in {None, "STOP"}:
        state.append(f" ({clean(row.outcome.raw_reason or '')})", style="default")
    paid = [] if row.charge is None else [Text(money(row.charge.amount))]
    held = [Text(f"{money(row.held)} held", style="yellow")] if row.held else []
    simulated = [Text("simulated", style="yellow")] if row.new.simulated else []
    bought = (f"{row.new.created_at:%Y-%m-%d %H:%M}", f"{route.model} {route.size}", str(row.new.purpose))
    return (
        Parts(Text(row.id, style="bold"), state, *paid, *held),
        Parts(*(Text(part, style="dim") for part in bought), *simulated, indent=_BELOW),
        Text(_BELOW + _one_line(row.new.prompt), no_wrap=True, overflow="ellipsis"),
    )


def _one_line(prompt: str) -> str:
    return clean(" ".join(prompt.split()))[:_LONGEST_PROMPT]


def _later_step(step: Step) -> Text:
    when = {"reject": "if it is rejected", "unavailable": "if it cannot serve"}.get(step.after, step.after)
    text = offer_text(step.offer)
    text.append(f" {when}, {money(step.offer.quote.expected)}", style="not bold")
    return text


def _rejections_drawn(rejected: Sequence[Rejection], *, explain: bool | None) -> list[RenderableType]:
    """Name those that could have served; those that do not answer are counted unless asked for."""
    told = [one for one in rejected if explain or one.code not in ABSENT]
    if not rejected:
        return []
    rows: list[tuple[str, str | Text]] = [(str(one.route.model), one.reason) for one in told]
    drawn: list[RenderableType] = [Text("\nnot chosen", style="dim")]
    if rows:
        drawn.append(Facts(*rows, indent=2))
    hidden = len(rejected) - len(told)
    if hidden:
        more = "" if explain is None else ": --explain"
        drawn.append(Text(f"  and {hidden} that do not answer on this day{more}", style="dim"))
    return drawn


def _outcome_text(result: Result) -> Text:
    kind = result.outcome.kind
    text = Text(str(kind), style="bold green" if kind is OutcomeKind.IMAGE else "bold red")
    if result.outcome.raw_reason:
        text.append(f" ({clean(result.outcome.raw_reason)})", style="not bold")
    if result.outcome.message:
        text.append(f" {clean(result.outcome.message)}", style="not bold default")
    if result.is_partial:
        text.append(f"  {len(result.images)} of {result.request.variants} came", style="bold yellow")
    return text


def _charge_text(result: Result) -> Text:
    text = Text(money(result.charge), style="bold")
    text.append(f"  (quoted {money(result.decision.quote.expected)})", style="not bold")
    if result.held:
        text.append(f"; {money(result.held)} stays held until reconciled", style="bold yellow")
    return text


def _count(low: int, expected: int, worst: int) -> str:
    return f"{expected:,}" if low == expected == worst else f"{low:,} / {expected:,} / {worst:,}"
