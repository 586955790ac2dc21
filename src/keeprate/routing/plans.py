"""What a policy answers with, and what a policy is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from keeprate.domain.decisions import Signal
from keeprate.domain.routes import ModelId
from keeprate.routing.cases import Case, Priced


class Escalation(NamedTuple):
    """A route to try after a rejected image, and why it is the next one."""

    priced: Priced
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A policy's choice.

    `reason` is a whole sentence for people. `preference` says in a few words what the start has that
    a cheaper route lacks; it completes "cheaper at $0.02, but ...".
    """

    start: Priced
    reason: str
    preference: str
    signals: tuple[Signal, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    successor_of: ModelId | None = None
    founding_model: ModelId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A pure function from a case to a plan. A change of behaviour raises the version.

    `choose` is called only with a case that has at least one eligible route, or to let a pinned
    model say why it is not one.
    """

    name: str
    version: int
    choose: Callable[[Case], Plan]
