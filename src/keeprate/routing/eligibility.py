"""Hard needs: what a model on an upstream cannot do for a request, each with its own code.

Nothing here is a preference. A route with an unmet need is never chosen, whatever the policy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from keeprate.domain.purposes import Lane, ReferenceRole, Thinking
from keeprate.routing.lanes import WAITS_S
from keeprate.routing.listings import Listing, Shape, thinking_terms
from keeprate.routing.quotes import is_priced, share
from keeprate.routing.tokens import CAUTIOUS_BYTES, cautious_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """A need a listing cannot meet. `field` and `value` are the request's; `remedy` would open this route.

    `reach` is how far the listing goes in the matter (references, sizes, ratios, tokens it takes): where
    all fail, the one that goes farthest speaks for them.
    """

    code: str
    field: str
    value: object
    reason: str
    remedy: str
    reach: int = 0


def unmet_needs(listing: Listing, shape: Shape, day: date) -> tuple[Unmet, ...]:
    """Return every need of `shape` that `listing` cannot meet on `day`, the gravest first."""
    absent = _absent(listing, shape, day)
    if absent is not None:
        return (absent,)
    found = [check(listing, shape) for check in CHECKS]
    return tuple([need for need in found if need is not None])


def unmet_prompt(listing: Listing, prompt_bytes: int) -> Unmet | None:
    """Return the need for a shorter prompt, if the model's token limit asks for one."""
    limit = listing.card.max_prompt_tokens
    tokens = cautious_tokens(prompt_bytes)
    if limit is None or tokens <= limit:
        return None
    return Unmet(
        code="prompt",
        field="prompt",
        value=f"{prompt_bytes} bytes",
        reason=f"takes a prompt of {limit} tokens, this one is put at {tokens}",
        remedy=f"shorten the prompt to {limit * CAUTIOUS_BYTES} bytes (about {limit} tokens)",
        reach=limit,
    )


def _absent(listing: Listing, shape: Shape, day: date) -> Unmet | None:
    card, heir = listing.card, listing.heir
    name = str(card.model)
    if shape.upstream is not None and listing.upstream.name != shape.upstream:
        return Unmet(
            code="upstream",
            field="upstream",
            value=shape.upstream,
            reason=f"on {listing.upstream.name}, but {shape.upstream} was asked for",
            remedy=f"allow the upstream {listing.upstream.name}",
        )
    if day < card.released_on:
        return Unmet(
            code="unreleased",
            field="model",
            value=name,
            reason=f"not released before {card.released_on}",
            remedy=f"wait until {card.released_on}, or choose a model that answers on {day}",
        )
    if card.shutdown_on is not None and day >= card.shutdown_on:
        return Unmet(
            code="retired",
            field="model",
            value=name,
            reason=f"was shut down on {card.shutdown_on}" + (f"; {heir} took over" if heir else ""),
            remedy=f"use {heir}" if heir else "choose a model that still answers",
        )
    if listing.price is None:
        return Unmet(
            code="unpriced",
            field="model",
            value=name,
            reason=f"has no price on {day}, so it is never offered",
            remedy="add its price with source and date to keeprate.toml",
        )
    return None


def _size(listing: Listing, shape: Shape) -> Unmet | None:
    sizes = listing.card.sizes
    if shape.size in sizes:
        return None
    has = ", ".join(sizes)
    return Unmet(
        code="size",
        field="size",
        value=str(shape.size),
        reason=f"no {shape.size} output (has {has})",
        remedy=f"ask for one of: {has}",
        reach=len(sizes),
    )


def _size_price(listing: Listing, shape: Shape) -> Unmet | None:
    price = listing.price
    if shape.size not in listing.card.sizes or price is None or is_priced(price, shape.size):
        return None
    return Unmet(
        code="unpriced",
        field="size",
        value=str(shape.size),
        reason=f"has no price for {shape.size}, so it is never offered",
        remedy="add that price with source and date to keeprate.toml",
    )


def _ratio(listing: Listing, shape: Shape) -> Unmet | None:
    ratios = listing.card.ratios
    if shape.ratio is None or shape.ratio in ratios:
        return None
    has = ", ".join([str(ratio) for ratio in ratios])
    return Unmet(
        code="ratio",
        field="ratio",
        value=str(shape.ratio),
        reason=f"no {shape.ratio} output",
        remedy=f"ask for one of: {has}",
        reach=len(ratios),
    )


def _references(listing: Listing, shape: Shape) -> Unmet | None:
    most = listing.card.max_references
    if shape.references <= most:
        return None
    takes = f"takes {most} reference{'' if most == 1 else 's'}" if most else "takes no references"
    return Unmet(
        code="references",
        field="references",
        value=shape.references,
        reason=f"{takes}, the request has {shape.references}",
        remedy=f"send at most {most} references" if most else "send no references",
        reach=most,
    )


def _roles(listing: Listing, shape: Shape) -> Unmet | None:
    # Object is the unmarked role: sub-limits bind once a caller tells references apart, and a role
    # the catalogue states no limit for is bound by the total alone.
    if all(role is ReferenceRole.OBJECT for role in shape.roles):
        return None
    for role, most in listing.card.references_by_role.items():
        wanted = shape.roles.count(role)
        if wanted > most:
            return Unmet(
                code="reference_role",
                field="references",
                value=f"{wanted} {role}",
                reason=f"takes {most} {role} references, the request has {wanted}",
                remedy=f"send at most {most} references in the role {role}",
            )
    return None


def _thinking(listing: Listing, shape: Shape) -> Unmet | None:
    wanted = shape.thinking
    card = listing.card
    if wanted is None or thinking_terms(card, wanted) is not None:
        return None
    if wanted is Thinking.NONE and not card.thinking:
        return None
    levels = ", ".join([terms.level for terms in card.thinking]) or "none"
    return Unmet(
        code="thinking",
        field="thinking",
        value=str(wanted),
        reason=f"no thinking level {wanted} (has {levels})",
        remedy=f"leave thinking away, or ask for one of: {levels}",
    )


def _output_room(listing: Listing, shape: Shape) -> Unmet | None:
    room, price = listing.card.max_output_tokens, listing.price
    if room is None or price is None or shape.size not in price.image_tokens:
        return None
    terms = thinking_terms(listing.card, shape.thinking)
    needed = price.image_tokens[shape.size] + (0 if terms is None else terms.expected_tokens)
    if needed <= room:
        return None
    return Unmet(
        code="output_tokens",
        field="size",
        value=str(shape.size),
        reason=f"answers with at most {room} tokens, this image needs {needed}",
        remedy="ask for a smaller size or less thinking",
    )


def _conversation(listing: Listing, shape: Shape) -> Unmet | None:
    card, past = listing.card, shape.conversation
    if not shape.continues and past is None:
        return None
    if not card.accepts_conversation:
        return _turn("conversation", "takes no second turn", "start anew without continuing")
    if past is None:
        return None
    if past.signed and not card.signs_thoughts:
        return _turn("signatures", "cannot take back signed thoughts", f"continue with {past.model}")
    if (past.upstream, past.model) != (listing.upstream.name, card.model):
        where = f"{past.model} on {past.upstream}"
        return _turn("conversation", f"the conversation belongs to {where}", f"continue with {where}")
    return None


def _turn(code: str, reason: str, remedy: str) -> Unmet:
    return Unmet(code=code, field="continues", value="an earlier attempt", reason=reason, remedy=remedy)


def _lane(listing: Listing, shape: Shape) -> Unmet | None:
    if listing.price is None or share(listing.price, shape.lane) is not None:
        return None
    lanes = ", ".join(dict.fromkeys([Lane.LIVE, *listing.price.lanes]))
    refusal = listing.price.unlisted_lanes.get(shape.lane)
    why = "" if refusal is None or refusal.note is None else f": {refusal.note}"
    return Unmet(
        code="lane",
        field="lane",
        value=str(shape.lane),
        reason=f"not sold in the {shape.lane} lane (has {lanes}){why}",
        remedy=f"use one of the lanes: {lanes}",
    )


def _deadline(listing: Listing, shape: Shape) -> Unmet | None:
    if not shape.too_slow:
        return None
    wait = WAITS_S[shape.lane]
    return Unmet(
        code="deadline",
        field="deadline",
        value=f"under {wait} s",
        reason=f"the {shape.lane} lane may take {wait} s, longer than the deadline",
        remedy=f"allow {wait} s, or buy live",
    )


def _flag(code: str, *, asked: str, offered: str, lacks: str) -> Callable[[Listing, Shape], Unmet | None]:
    def check(listing: Listing, shape: Shape) -> Unmet | None:
        if not getattr(shape, asked) or getattr(listing.card, offered):
            return None
        return Unmet(code=code, field=code, value="asked for", reason=lacks, remedy=f"leave {code} away")

    return check


# In the order in which an explanation is most useful: what is asked for before how it is bought.
CHECKS: Final[tuple[Callable[[Listing, Shape], Unmet | None], ...]] = (
    _size,
    _size_price,
    _ratio,
    _references,
    _roles,
    _flag("video", asked="video", offered="accepts_video", lacks="takes no video"),
    _flag("grounding", asked="grounding", offered="accepts_grounding", lacks="cannot ground in a search"),
    _flag("system", asked="system", offered="accepts_system", lacks="takes no system instruction"),
    _flag("seed", asked="seed", offered="accepts_seed", lacks="takes no seed"),
    _thinking,
    _output_room,
    _conversation,
    _lane,
    _deadline,
)
