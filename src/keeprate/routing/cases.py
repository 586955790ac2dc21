"""A request laid out for a policy: what it needs, which routes can serve it, and at what price."""

from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

from keeprate.domain.decisions import Rejection
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.needs import Needs
from keeprate.domain.purposes import Lane, Thinking
from keeprate.domain.routes import ModelId
from keeprate.routing.boards import Candidate, rejection
from keeprate.routing.eligibility import unmet_prompt
from keeprate.routing.lanes import is_too_slow
from keeprate.routing.listings import Conversation, Shape
from keeprate.routing.market import Market, StandIn
from keeprate.routing.tokens import PromptTokens, cautious_tokens, prompt_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What stands around a request: the budget, what the caller insists on, what goes on already.

    `budget_used_percent` is of the tightest cap. `lane` None means live. `pin` is an exact model id
    and goes before any policy. `upstream` narrows the choice to one. `may_cost_more` is leave to fall
    back to a dearer route when the first one is unavailable.
    """

    budget_used_percent: int = 0
    lane: Lane | None = None
    pin: ModelId | None = None
    upstream: str | None = None
    may_cost_more: bool = False
    conversation: Conversation | None = None


CALM: Final = Situation()


class Priced(NamedTuple):
    """A candidate and the money expected for all images wanted."""

    expected: int
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a policy decides on. `priced` is cheapest first; `refused` failed a hard need.

    `priced` holds plain pairs of what `Priced` names: dozens are made and sorted per decision, and
    only those a policy picks are worth a name.
    """

    needs: Needs
    market: Market
    situation: Situation
    shape: Shape
    tokens: PromptTokens
    prompt_bytes: int
    priced: tuple[tuple[int, Candidate], ...]
    refused: tuple[Rejection, ...]

    @property
    def cheapest(self) -> Priced:
        """Return the cheapest eligible route."""
        return Priced(*self.priced[0])

    def of_model(self, model: ModelId) -> Priced | None:
        """Return the cheapest eligible route of `model`."""
        for expected, candidate in self.priced:
            if candidate.route.model == model:
                return Priced(expected, candidate)
        return None

    def of_line(self, line: str) -> Priced | None:
        """Return the cheapest eligible route of the line's current model, else of the line."""
        current = self.market.current(line)
        other: Priced | None = None
        for expected, candidate in self.priced:
            if candidate.listing.card.line != line:
                continue
            if (candidate.route.upstream, candidate.route.model) in current:
                return Priced(expected, candidate)
            other = other or Priced(expected, candidate)
        return other

    def in_place_of(self, model: ModelId) -> tuple[Priced, StandIn] | None:
        """Return the cheapest eligible route that does the work of `model`, and on whose word."""
        found = [(self._at(stand_in), stand_in) for stand_in in self.market.acting(model)]
        able = [(one, stand_in) for one, stand_in in found if one is not None]
        return min(able, key=_by_cost, default=None)

    def _at(self, stand_in: StandIn) -> Priced | None:
        listing = stand_in.listing
        wanted = (listing.upstream.name, listing.card.model)
        priced = self.priced
        if stand_in.thinking is not None and self.shape.thinking is None:
            shape = self.shape._replace(thinking=stand_in.thinking)
            priced = _priced(self.market, shape, self.tokens)
            priced, _ = _fitting(priced, shape, self.prompt_bytes, self.market)
        for expected, candidate in priced:
            if (candidate.route.upstream, candidate.route.model) == wanted:
                return Priced(expected, candidate)
        return None


def _by_cost(found: tuple[Priced, StandIn]) -> int:
    return found[0].expected


def case_of(needs: Needs, market: Market, situation: Situation) -> Case:
    """Return the case of `needs` in `market`."""
    shape = shape_of(needs, situation)
    past = situation.conversation
    prompt_bytes = needs.prompt_bytes + (0 if past is None else past.text_bytes)
    tokens = prompt_tokens(prompt_bytes)
    board = market.board(shape)
    priced = _priced(market, shape, tokens)
    refused = board.rejections
    if board.tightest_prompt is not None and cautious_tokens(prompt_bytes) > board.tightest_prompt:
        priced, too_long = _fitting(priced, shape, prompt_bytes, market)
        refused = refused + too_long
    return Case(
        needs=needs,
        market=market,
        situation=situation,
        shape=shape,
        tokens=tokens,
        prompt_bytes=prompt_bytes,
        priced=priced,
        refused=refused,
    )


def shape_of(needs: Needs, situation: Situation) -> Shape:
    """Return the shape of `needs` as bought in `situation`."""
    lane = situation.lane or Lane.LIVE
    return Shape(
        needs.size,
        needs.ratio,
        needs.roles,
        needs.variants,
        needs.thinking,
        lane,
        is_too_slow(lane, needs.deadline_s),
        needs.video,
        needs.grounding,
        needs.system,
        needs.seed,
        needs.continues,
        situation.conversation,
        situation.upstream,
    )


def money(amount: int) -> str:
    """Return an amount for a sentence: four decimal places, or all of them where it is tiny."""
    tenths = (amount + 50_000) // 100_000
    if tenths == 0 and amount:
        return f"${display(NanoUSD(amount))}"
    digits = str(tenths).zfill(5)
    return f"${digits[:-4]}.{digits[-4:]}"


def _priced(market: Market, shape: Shape, tokens: PromptTokens) -> tuple[tuple[int, Candidate], ...]:
    expected = tokens.expected
    found = [(fixed + expected * slope, one) for fixed, slope, one in market.board(shape).rates]
    # The sort is stable: of equals, the board's order (worst case, upstream, name) stands.
    found.sort(key=itemgetter(0))
    return tuple(found)


def _fitting(
    priced: tuple[tuple[int, Candidate], ...], shape: Shape, prompt_bytes: int, market: Market
) -> tuple[tuple[tuple[int, Candidate], ...], tuple[Rejection, ...]]:
    named = len(market.upstreams) > 1
    fitting: list[tuple[int, Candidate]] = []
    too_long: list[Rejection] = []
    for expected, candidate in priced:
        unmet = unmet_prompt(candidate.listing, prompt_bytes)
        if unmet is None:
            fitting.append((expected, candidate))
        else:
            too_long.append(rejection(candidate.listing, shape, (unmet,), named=named))
    return tuple(fitting), tuple(too_long)


def thinks(level: Thinking | None) -> str:
    """Return how a sentence names a thinking level a source asks for."""
    return "" if level is None else f" with thinking {level}"
