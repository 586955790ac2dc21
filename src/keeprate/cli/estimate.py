"""`keeprate estimate`: work out what many images cost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from cyclopts import Parameter
from rich.console import RenderableType
from rich.text import Text

from keeprate.cli.flags import EVERYWHERE, Everywhere, count_of
from keeprate.cli.output import Facts, Screen, money, table
from keeprate.cli.shelf import shelf_for
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane, word
from keeprate.routing.estimates import LARGEST_COUNT, Chain, Estimate, EstimateQuery, EstimateRow, Prices
from keeprate.routing.estimates import estimate as worked_out
from keeprate.routing.explanations import estimates_as_json


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be priced."""

    count: Annotated[int, count_of("count", "-n", least=1, most=LARGEST_COUNT)] = 1
    """How many images, or how many chains."""
    model: str | None = None
    """All of them by this model."""
    mix: str | None = None
    """A shipped mix of models: six-model-blend."""
    chain: str | None = None
    """References+variants, such as 1+10: cheap canonical references, then variants that keep them."""
    size: str = "1K"
    """512, 1K, 2K or 4K."""
    lane: str = "live"
    """live, flex, priority or batch."""
    prices: str = "rates"
    """rates (tokens × price of a token, what a bill is made of) or card (what the vendor prints)."""
    surface: str | None = None
    """gemini-api or vertex. Otherwise that of your first upstream. Its contract prices go before official ones."""


NOTHING = Asked()


def estimate(*, asked: Asked = NOTHING, everywhere: Everywhere = EVERYWHERE) -> int:
    """Work out what many images cost: a model, a mix or a chain. Calls nobody, spends nothing."""
    query = EstimateQuery(
        count=asked.count,
        model=asked.model,
        mix=asked.mix,
        chain=None if asked.chain is None else Chain.parse(asked.chain),
        size=word(Size, asked.size.upper(), field="size"),
        lane=word(Lane, asked.lane, field="lane"),
        prices=word(Prices, asked.prices, field="prices"),
    )
    shelf = shelf_for(everywhere, surface=asked.surface)
    surface = shelf.surfaces[0]
    query = replace(query, upstream=next(iter(shelf.buys_from(surface)), None))
    found = worked_out(query, book=shelf.book, day=shelf.day, surface=surface)
    Screen(everywhere).answer(estimates_as_json(found), *_drawn(found))
    return 0


def _drawn(found: Estimate) -> Iterator[RenderableType]:
    images = "1 image" if found.images == 1 else f"{found.images:,} images"
    total = Text(f"{money(found.total)} for {images}", style="bold")
    total.append(f", {money(found.per_image)} each, by {_PRICES[found.query.prices]}", style="not bold")
    yield total
    yield ""
    if len(found.rows) > 1:
        yield _rows_drawn(found)
        yield ""
    yield Facts(*_beside(found))


_PRICES = {Prices.CARD: "printed prices", Prices.RATES: "tokens × rates"}


def _rows_drawn(found: Estimate) -> RenderableType:
    numbers = frozenset({"images", "each", "together"})
    drawn = table("model", "size", "lane", "images", "each", "together", right=numbers)
    for row in found.rows:
        each = _each(row, found.query.prices)
        drawn.add_row(
            _model_text(row),
            str(row.size),
            str(row.lane),
            f"{row.images:,}",
            money(each),
            money(NanoUSD(each * row.images)),
        )
    return drawn


def _model_text(row: EstimateRow) -> str:
    return str(row.model) if row.model == row.asked else f"{row.model}, for {row.asked}"


def _each(row: EstimateRow, prices: Prices) -> NanoUSD:
    return row.by_card if prices is Prices.CARD and row.by_card is not None else row.by_rates


def _beside(found: Estimate) -> Iterator[tuple[str, str | Text]]:
    """Say what the total is not made of, and what the other price would give."""
    if found.query.prices is Prices.CARD:
        yield "by tokens × rates", money(found.total_by_rates)
    elif found.total_by_card is not None:
        yield "by printed prices", money(found.total_by_card)
    if found.reference_input:
        yield "with reference input", money(found.total_with_references)
    if found.thinking:
        yield "thinking, apart", f"about {money(found.thinking)}"
    yield "as of", f"{found.day}, {found.query.lane} lane"
    for note in found.notes:
        yield "note", note
