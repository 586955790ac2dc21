"""Small builders: a model and its price in one line, and a request with what a test is about."""

from datetime import date
from types import MappingProxyType

from keeprate.catalogue.cards import (
    Confidence,
    LaneTerms,
    ModelCard,
    Opinion,
    PriceRow,
    Provenance,
    ThinkingTerms,
    Transport,
)
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.money import NanoUSD, per_million, usd
from keeprate.domain.purposes import Lane, Purpose, ReferenceRole, Thinking
from keeprate.domain.requests import ImageRequest, Reference
from keeprate.domain.routes import GEMINI_API, ModelId, Surface, Upstream
from keeprate.routing.listings import Listing
from keeprate.routing.market import Market, StandIn

DAY = date(2026, 11, 21)
LONG_AGO = date(2026, 1, 1)
SOURCE = "https://example.test/prices"
RATIOS = tuple(Ratio.parse(text) for text in ("1:1", "16:9", "9:16", "3:4", "4:3"))


def provenance(note: str | None = None) -> Provenance:
    return Provenance(source=SOURCE, valid_from=LONG_AGO, seen_on=DAY, confidence=Confidence.HIGH, note=note)


def thinking(
    *levels: tuple[Thinking, int, int], default: Thinking | None = None
) -> tuple[ThinkingTerms, ...]:
    chosen = default or (levels[0][0] if levels else None)
    return tuple(
        ThinkingTerms(level=level, expected_tokens=usual, allowance_tokens=most, is_default=level is chosen)
        for level, usual, most in levels
    )


def card(model: str, **changes: object) -> ModelCard:
    """Return a card that can do everything, but for `changes`."""
    facts: dict[str, object] = {
        "surface": GEMINI_API,
        "model": ModelId(model),
        "market_name": model.title(),
        "family": "test",
        "line": "flash",
        "aliases": (),
        "preview_ids": (),
        "transport": Transport.GENERATE_CONTENT,
        "released_on": LONG_AGO,
        "deprecated_on": None,
        "shutdown_on": None,
        "announcements": (),
        "successors": (),
        "sizes": (Size.ONE_K, Size.TWO_K, Size.FOUR_K),
        "sends_size": True,
        "ratios": RATIOS,
        "grid": MappingProxyType({}),
        "max_references": 14,
        "references_by_role": MappingProxyType({ReferenceRole.OBJECT: 10, ReferenceRole.CHARACTER: 4}),
        "max_prompt_tokens": 65_536,
        "max_output_tokens": 32_768,
        "thinking": (),
        "sends_thinking": False,
        "images_per_call": 1,
        "accepts_video": True,
        "accepts_grounding": True,
        "accepts_system": True,
        "accepts_seed": True,
        "accepts_conversation": True,
        "signs_thoughts": True,
        "text_rendering": Opinion(grade="good", provenance=provenance()),
        "context": None,
        "synthid": True,
        "c2pa": True,
        "output_mimes": ("image/png",),
        "timeout_s": MappingProxyType(dict.fromkeys(Size, 300)),
        "provenance": MappingProxyType({"identity": provenance()}),
    }
    return ModelCard(**(facts | changes))  # type: ignore[arg-type]


def token_price(
    model: str, *, rates: tuple[str, str, str] = ("0.50", "3.00", "60.00"), **changes: object
) -> PriceRow:
    """Return a price by tokens from (input, text output, image output) in dollars per million."""
    given, text, image = rates
    facts: dict[str, object] = {
        "id": f"{model}/2026-01-01",
        "surface": GEMINI_API,
        "model": ModelId(model),
        "input_each": per_million(given),
        "text_output_each": per_million(text),
        "image_output_each": per_million(image),
        "per_image": MappingProxyType({}),
        "image_tokens": MappingProxyType({Size.ONE_K: 1120, Size.TWO_K: 1680, Size.FOUR_K: 2520}),
        "image_tokens_high": MappingProxyType({}),
        "card": MappingProxyType({}),
        "reference_tokens": 560,
        "reference_tokens_high": 1120,
        "grounding_each": usd("0.014"),
        "lanes": MappingProxyType({}),
        "provenance": provenance(),
    }
    return PriceRow(**(facts | changes))  # type: ignore[arg-type]


def image_price(model: str, each: str, *sizes: Size, **changes: object) -> PriceRow:
    """Return a price per image."""
    return token_price(
        model,
        rates=("0", "0", "0"),
        **(
            {
                "per_image": MappingProxyType({size: usd(each) for size in sizes or (Size.ONE_K,)}),
                "image_tokens": MappingProxyType({}),
                "reference_tokens": 0,
                "reference_tokens_high": 0,
                "grounding_each": NanoUSD(0),
            }
            | changes
        ),
    )


def half_price(*lanes: Lane) -> MappingProxyType[Lane, LaneTerms]:
    return MappingProxyType(
        {lane: LaneTerms(lane=lane, numerator=1, denominator=2, provenance=provenance()) for lane in lanes}
    )


def upstream(name: str = "google", surface: Surface = GEMINI_API) -> Upstream:
    return Upstream(name=name, surface=surface, base_url="http://localhost", simulated=False)


def listing(of: ModelCard, price: PriceRow | None, *, on: str = "google", place: int = 0) -> Listing:
    return Listing(upstream=upstream(on), card=of, price=price, place=place)


def flash(model: str = "flash-2", image_rate: str = "30.00", **changes: object) -> Listing:
    return listing(card(model, **changes), token_price(model, rates=("1.50", "7.50", image_rate)))


def pro(model: str = "pro-3", **changes: object) -> Listing:
    levels = thinking((Thinking.FIXED, 240, 1000))
    facts: dict[str, object] = {"line": "pro", "thinking": levels, "accepts_video": False}
    return listing(card(model, **(facts | changes)), token_price(model, rates=("2.00", "12.00", "120.00")))


def painter(model: str, each: str, *sizes: Size, **changes: object) -> Listing:
    """Return a model in the manner of Imagen: priced per image, four a call, text in and image out."""
    facts: dict[str, object] = {
        "line": model,
        "transport": Transport.PREDICT,
        "sizes": sizes or (Size.ONE_K,),
        "max_references": 0,
        "references_by_role": MappingProxyType({}),
        "max_prompt_tokens": 480,
        "max_output_tokens": None,
        "images_per_call": 4,
        "accepts_video": False,
        "accepts_grounding": False,
        "accepts_system": False,
        "accepts_seed": False,
        "accepts_conversation": False,
        "signs_thoughts": False,
    }
    return listing(card(model, **(facts | changes)), image_price(model, each, *(sizes or (Size.ONE_K,))))


def market(
    *listings: Listing, day: date = DAY, heirs: dict[str, tuple[str, Thinking | None]] | None = None
) -> Market:
    """Return a market of `listings`; `heirs` maps a dead model to (who takes over, thinking level)."""
    known = {one.card.model: one for one in listings}

    def acting(model: ModelId) -> tuple[StandIn, ...]:
        own = known.get(model)
        if own is not None and own.card.lives_on(day):
            return tuple(_stand_in(one, (model,), None, None) for one in listings if one.card.model == model)
        heir, level = (heirs or {}).get(model, (None, None))
        ended = None if own is None else own.card.shutdown_on
        if heir is None:
            return ()
        return (_stand_in(known[ModelId(heir)], (model, ModelId(heir)), level, ended),)

    def current(line: str) -> frozenset[tuple[str, ModelId]]:
        living = [one for one in listings if one.card.line == line and one.card.lives_on(day)]
        newest = max((one.card.released_on for one in living), default=None)
        return frozenset(
            (one.upstream.name, one.card.model) for one in living if one.card.released_on == newest
        )

    return Market(day=day, listings=listings, acting=acting, current=current)


def _stand_in(
    one: Listing, chain: tuple[ModelId, ...], level: Thinking | None, ended: date | None
) -> StandIn:
    return StandIn(listing=one, thinking=level, chain=chain, source=SOURCE, shutdown_on=ended)


def reference(role: ReferenceRole = ReferenceRole.OBJECT) -> Reference:
    return Reference(sha256="0" * 64, mime="image/png", width=64, height=64, bytes_count=100, role=role)


def request(purpose: Purpose = Purpose.SOCIAL, *, references: int = 0, **fields: object) -> ImageRequest:
    facts: dict[str, object] = {
        "prompt": "a fox on a hill",
        "purpose": purpose,
        "references": tuple(reference() for _ in range(references)),
    }
    return ImageRequest(**(facts | fields))  # type: ignore[arg-type]
