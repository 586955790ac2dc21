"""All that is known of one model, each fact with its source and dates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from keeprate.catalogue.book import Successor
from keeprate.catalogue.cards import LifecycleEvent, ModelCard, PriceRow, Provenance
from keeprate.catalogue.contradictions import Contradiction
from keeprate.cli.output import Facts, money
from keeprate.cli.shelf import live_price, printed_price
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.purposes import Thinking


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A model on a day: its card, its price, who takes over, and where sources disagree."""

    card: ModelCard
    price: PriceRow | None
    successor: Successor | None
    contradictions: tuple[Contradiction, ...]
    day: date


def drawn(known: Dossier) -> Iterator[RenderableType]:
    """Return the pages of a dossier."""
    card = known.card
    yield Text(f"{card.model}  ({card.market_name}) on {card.surface}, {known.day}", style="bold")
    yield ""
    yield Facts(*_life(known), *_prices(known), *_abilities(card))
    if known.contradictions:
        yield Text("\nsources disagree", style="bold")
        yield Facts(*((one.fact, _disagreement(one)) for one in known.contradictions))
    yield Text("\nsources", style="bold")
    yield from _sources(known)


def _life(known: Dossier) -> Iterator[tuple[str, str | Text]]:
    card = known.card
    if not any(said.event is LifecycleEvent.RELEASED for said in card.announcements):
        yield "released", str(card.released_on)
    for said in card.announcements:
        on = "none announced" if said.on is None else str(said.on)
        yield str(said.event), f"{on}, said on {said.announced_on}"
    if card.preview_of is not None:
        yield "preview of", str(card.preview_of)
    if card.preview_ids:
        yield "preview ids", ", ".join(card.preview_ids)
    if card.aliases:
        yield "also called", ", ".join(card.aliases)
    if known.successor is not None:
        level = "" if known.successor.thinking is None else f", thinking {known.successor.thinking}"
        yield "successor", f"{known.successor.card.model}{level}"


def _prices(known: Dossier) -> Iterator[tuple[str, str | Text]]:
    price = known.price
    if price is None:
        yield "price", f"none had started by {known.day}"
        return
    if price.upstream is not None:
        yield "prices", f"those of upstream {price.upstream}, by {price.provenance.source}"
    for size in known.card.sizes:
        live, printed = live_price(price, size), printed_price(price, size)
        if live is not None:
            tokens = price.image_tokens.get(size)
            made = "" if tokens is None else f" = {tokens:,} tokens × {money(price.image_output_each)}"
            shown = "" if printed is None else f"; printed as {money(printed)}"
            yield f"{size} image", f"{money(live)}{made}{shown}"
    if not price.per_image:
        yield (
            "per million tokens",
            (
                f"{_per_million(price.input_each)} in, {_per_million(price.text_output_each)} text and thinking, "
                f"{_per_million(price.image_output_each)} image"
            ),
        )
        most = f", up to {price.reference_tokens_high:,}"
        yield (
            "a reference",
            f"{price.reference_tokens:,} tokens"
            + ("" if price.reference_tokens == price.reference_tokens_high else most),
        )
    if price.grounding_each:
        yield "a search", money(price.grounding_each)
    yield (
        "lanes",
        ", ".join(f"{lane} × {terms.numerator / terms.denominator:g}" for lane, terms in price.lanes.items()),
    )
    for lane, why in price.unlisted_lanes.items():
        yield f"no {lane}", why.note or "not in any list"


def _abilities(card: ModelCard) -> Iterator[tuple[str, str | Text]]:
    yield "sizes", ", ".join(card.sizes)
    yield "ratios", ", ".join(str(ratio) for ratio in card.ratios)
    roles = ", ".join(f"{count} {role}" for role, count in card.references_by_role.items())
    yield "references", f"{card.max_references}" + (f" ({roles})" if roles else "")
    yield "images a call", str(card.images_per_call)
    if card.max_prompt_tokens is not None:
        yield "prompt tokens", f"{card.max_prompt_tokens:,}"
    if card.max_output_tokens is not None:
        yield "output tokens", f"{card.max_output_tokens:,}"
    yield "thinking", _thinking_text(card)
    takes = {
        "video": card.accepts_video,
        "grounding": card.accepts_grounding,
        "system instruction": card.accepts_system,
        "seed": card.accepts_seed,
        "conversation": card.accepts_conversation,
    }
    yield "takes", ", ".join(name for name, is_taken in takes.items() if is_taken) or "a prompt"
    if card.text_rendering is not None:
        yield (
            "text rendering",
            f"{card.text_rendering.grade}, in the opinion of {card.text_rendering.provenance.source}",
        )
    if card.context is not None:
        yield "context", f"{card.context.grade}, in the opinion of {card.context.provenance.source}"
    marks = ["SynthID"] if card.synthid else []
    yield "marked with", ", ".join([*marks, *(["C2PA"] if card.c2pa else [])]) or "nothing known"
    yield "comes as", ", ".join(card.output_mimes)


def _thinking_text(card: ModelCard) -> str:
    if [terms.level for terms in card.thinking] == [Thinking.FIXED]:
        return "always, with no level to choose"
    levels = [f"{terms.level} (default)" if terms.is_default else str(terms.level) for terms in card.thinking]
    return ", ".join(levels) if len(levels) > 1 else "none"


def _sources(known: Dossier) -> Iterator[RenderableType]:
    """Name each source once, with what it is the source of."""
    by_source: dict[str, list[str]] = {}
    said = dict(known.card.provenance)
    if known.price is not None:
        said["price"] = known.price.provenance
    for fact, provenance in said.items():
        by_source.setdefault(_source_text(provenance), []).append(fact)
    for source, about in by_source.items():
        yield source
        yield Padding(Text(", ".join(about), style="dim"), (0, 0, 0, 2))


def _source_text(said: Provenance) -> str:
    return f"{said.source} ({said.confidence}; from {said.valid_from}, read {said.seen_on})"


def _disagreement(one: Contradiction) -> str:
    taken = "nothing is taken" if one.taken_value is None else f"{one.taken_value} is taken"
    by = "" if one.taken is None else f" ({one.taken.source})"
    return f"{taken}{by}; {one.other_value} is not ({one.other.source}, read {one.other.seen_on})"


def _per_million(each: NanoUSD) -> str:
    return money(NanoUSD(each * 1_000_000))


def as_json(known: Dossier) -> Mapping[str, object]:
    """Return a dossier as plain values."""
    card, price = known.card, known.price
    return {
        "as_of": known.day,
        "model": str(card.model),
        "market_name": card.market_name,
        "surface": str(card.surface),
        "alive": card.lives_on(known.day),
        "aliases": list(card.aliases),
        "preview_ids": list(card.preview_ids),
        "preview_of": card.preview_of,
        "released_on": card.released_on,
        "deprecated_on": card.deprecated_on,
        "shutdown_on": card.shutdown_on,
        "announcements": [
            {
                "event": str(said.event),
                "on": said.on,
                "announced_on": said.announced_on,
                **_said(said.provenance),
            }
            for said in card.announcements
        ],
        "successor": None if known.successor is None else str(known.successor.card.model),
        "successor_thinking": None if known.successor is None else known.successor.thinking,
        "sizes": list(card.sizes),
        "ratios": [str(ratio) for ratio in card.ratios],
        "pixels": {f"{ratio}@{size}": str(pixels) for (ratio, size), pixels in card.grid.items()},
        "max_references": card.max_references,
        "references_by_role": {str(role): count for role, count in card.references_by_role.items()},
        "max_prompt_tokens": card.max_prompt_tokens,
        "max_output_tokens": card.max_output_tokens,
        "thinking": [str(terms.level) for terms in card.thinking],
        "images_per_call": card.images_per_call,
        "accepts": {
            "video": card.accepts_video,
            "grounding": card.accepts_grounding,
            "system": card.accepts_system,
            "seed": card.accepts_seed,
            "conversation": card.accepts_conversation,
        },
        "text_rendering": None if card.text_rendering is None else card.text_rendering.grade,
        "context": None if card.context is None else card.context.grade,
        "synthid": card.synthid,
        "c2pa": card.c2pa,
        "output_mimes": list(card.output_mimes),
        "price": None if price is None else _price_as_json(known, price),
        "sources": {fact: _said(said) for fact, said in card.provenance.items()},
        "contradictions": [
            {
                "fact": one.fact,
                "taken": one.taken_value,
                "taken_source": None if one.taken is None else one.taken.source,
                "other": one.other_value,
                "other_source": one.other.source,
            }
            for one in known.contradictions
        ],
    }


def _price_as_json(known: Dossier, price: PriceRow) -> Mapping[str, object]:
    live = {str(size): live_price(price, size) for size in known.card.sizes}
    return {
        "id": price.id,
        "upstream": price.upstream,
        "image_usd": {size: display(cost) for size, cost in live.items() if cost is not None},
        "printed_usd": {str(size): display(cost) for size, cost in price.card.items()},
        "image_tokens": {str(size): tokens for size, tokens in price.image_tokens.items()},
        "input_per_million_usd": display(NanoUSD(price.input_each * 1_000_000)),
        "text_output_per_million_usd": display(NanoUSD(price.text_output_each * 1_000_000)),
        "image_output_per_million_usd": display(NanoUSD(price.image_output_each * 1_000_000)),
        "reference_tokens": price.reference_tokens,
        "grounding_usd": display(price.grounding_each),
        "lanes": {str(lane): f"{terms.numerator}/{terms.denominator}" for lane, terms in price.lanes.items()},
        **_said(price.provenance),
    }


def _said(said: Provenance) -> dict[str, object]:
    return {
        "source": said.source,
        "valid_from": said.valid_from,
        "seen_on": said.seen_on,
        "confidence": str(said.confidence),
    }
