"""What a policy decided, and why not otherwise."""

from dataclasses import dataclass

from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane
from keeprate.domain.quotes import Offer, Quote
from keeprate.domain.routes import ModelId, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A route that was not chosen: its model, the code of the reason and the sentence."""

    route: Route
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One named rule that fired, with the field and value that made it."""

    name: str
    field: str
    value: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One place of the cascade: an offer, and whether it is the start or comes after a failure.

    `after` is "start", "reject" (the image was rejected) or "unavailable" (the upstream could not
    serve it and nothing was charged).
    """

    offer: Offer
    after: str
    reason: str
    propensity: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneOption:
    """Another way to buy the first step's route: what one attempt is expected to cost, and how long.

    `wait_s` is the longest wait the lane aims at, in seconds. `buyable` tells whether this release
    can buy that way or only quotes it.
    """

    lane: Lane
    expected: NanoUSD
    wait_s: int
    buyable: bool
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """An ordered list of steps with the reasons for each and against all others.

    `attempts` is how many attempts the first step takes to give the images wanted.
    `quote` is the band for all of them. `successor_of` is the dead model whose work the chosen one
    takes over; `founding_model` the one a founding table names. `options` are lanes the deadline allows.
    """

    policy: str
    policy_version: int
    steps: tuple[Step, ...]
    reason: str
    signals: tuple[Signal, ...]
    rejected: tuple[Rejection, ...]
    quote: Quote
    attempts: int
    successor_of: ModelId | None = None
    founding_model: ModelId | None = None
    options: tuple[LaneOption, ...] = ()

    @property
    def chosen(self) -> Offer:
        """Return the offer of the first step."""
        return self.steps[0].offer

    @property
    def lane(self) -> Lane:
        """Return how the first step is bought."""
        return self.chosen.lane
