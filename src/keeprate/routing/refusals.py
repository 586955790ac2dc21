"""What to say when no route may serve a request: which field, which value, and what would help."""

from typing import Final

from keeprate.domain.errors import InvalidRequest, ModelRetired, NoEligibleRoute, RoutingError, UnknownModel
from keeprate.routing.cases import Case, money
from keeprate.routing.eligibility import Unmet, unmet_needs, unmet_prompt
from keeprate.routing.listings import Listing

# These say that a listing is not there at all, which no change to a single request field mends.
ABSENT: Final = frozenset({"upstream", "unreleased", "retired"})


def no_eligible_route(case: Case) -> RoutingError:
    """Return the error for a case in which nothing is eligible.

    Where one field rules out every living route it is named; otherwise the nearest route is, with
    the first thing in its way.
    """
    living = _living(case)
    everywhere = _ruled_out_everywhere(living)
    if everywhere is not None:
        wanted = f"{everywhere.field} {everywhere.value}"
        return _error(case, everywhere, f"no route serves {wanted}; at best: {everywhere.reason}")
    asked = case.situation.upstream
    configured = dict.fromkeys(listing.upstream.name for listing in case.market.listings)
    if asked is not None and asked not in configured:
        return _no_such_upstream(case, tuple(configured))
    if not living:
        return NoEligibleRoute(
            f"no upstream has a model that answers on {case.market.day}",
            field="upstream",
            value=case.situation.upstream,
            remedy="configure an upstream, or choose another day",
            facts={"rejections": _reasons(case)},
        )
    listing, unmet = min(living, key=_distance)
    near = f"{listing.card.model} on {listing.upstream.name}"
    others = ", and ".join([need.remedy for need in unmet])
    return _error(
        case,
        unmet[0],
        f"no route serves all of this request; the nearest is {near}: "
        + "; ".join([need.reason for need in unmet]),
        remedy=f"for {near}: {others}",
    )


def pinned_refusal(case: Case) -> RoutingError | InvalidRequest:
    """Return why the model asked for by name cannot serve."""
    pin = case.situation.pin
    listings = [listing for listing in case.market.listings if listing.card.model == pin]
    if not listings:
        return UnknownModel(
            f"no configured upstream has a model {pin}",
            field="model",
            value=pin,
            remedy="`keeprate models` lists the ids",
        )
    asked = case.situation.upstream
    if asked is not None and all(asked != one.upstream.name for one in case.market.listings):
        return _no_such_upstream(
            case, tuple(dict.fromkeys(one.upstream.name for one in case.market.listings))
        )
    found = [(listing, _unmet(case, listing)) for listing in listings]
    _, unmet = min(found, key=_distance)
    need = unmet[0]
    if need.code == "retired":
        return _retired(case, listings[0])
    return _error(case, need, f"{pin} cannot serve this request: " + "; ".join([one.reason for one in unmet]))


def _no_such_upstream(case: Case, configured: tuple[str, ...]) -> NoEligibleRoute:
    asked = case.situation.upstream
    return NoEligibleRoute(
        f"no upstream is called {asked!r}",
        field="upstream",
        value=asked,
        remedy="use one of: " + ", ".join(configured),
        facts={"rejections": _reasons(case)},
    )


def _retired(case: Case, listing: Listing) -> ModelRetired:
    card = listing.card
    heir = case.in_place_of(card.model)
    remedy = "choose a model that still answers; `keeprate models` lists them"
    successor = None
    if heir is not None:
        priced, stand_in = heir
        successor = str(priced.candidate.route.model)
        remedy = f"use its successor {successor} ({money(priced.expected)}), as {stand_in.source} says"
    return ModelRetired(
        f"{card.model} was shut down on {card.shutdown_on} on {listing.upstream.name}",
        field="model",
        value=str(card.model),
        remedy=remedy,
        facts={"successor": successor, "shutdown_on": str(card.shutdown_on)},
    )


def _living(case: Case) -> list[tuple[Listing, tuple[Unmet, ...]]]:
    found = [(listing, _unmet(case, listing)) for listing in case.market.listings]
    return [(listing, unmet) for listing, unmet in found if not any(need.code in ABSENT for need in unmet)]


def _unmet(case: Case, listing: Listing) -> tuple[Unmet, ...]:
    unmet = unmet_needs(listing, case.shape, case.market.day)
    too_long = unmet_prompt(listing, case.prompt_bytes)
    return unmet if too_long is None else (*unmet, too_long)


def _ruled_out_everywhere(living: list[tuple[Listing, tuple[Unmet, ...]]]) -> Unmet | None:
    """Return the need, in its most generous form, of a field that no living listing satisfies."""
    for field in dict.fromkeys([need.field for _, unmet in living for need in unmet]):
        if all(any(need.field == field for need in unmet) for _, unmet in living):
            return max(
                [need for _, unmet in living for need in unmet if need.field == field],
                key=lambda need: need.reach,
            )
    return None


def _distance(found: tuple[Listing, tuple[Unmet, ...]]) -> tuple[int, int]:
    """Order by how little is in the way, then by who goes farthest in it."""
    _, unmet = found
    return len(unmet), -unmet[0].reach


def _error(case: Case, need: Unmet, message: str, *, remedy: str | None = None) -> NoEligibleRoute:
    return NoEligibleRoute(
        message,
        field=need.field,
        value=need.value,
        remedy=remedy or need.remedy,
        facts={"rejections": _reasons(case)},
    )


def _reasons(case: Case) -> dict[str, str]:
    return {str(one.route): one.reason for one in case.refused}
