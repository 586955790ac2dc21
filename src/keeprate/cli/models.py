"""`keeprate models`: models, prices, capabilities and their sources."""

from cyclopts import App, Parameter
from rich.console import RenderableType
from rich.text import Text

from keeprate.catalogue.cards import ModelCard
from keeprate.catalogue.matrix import matrix as compared
from keeprate.catalogue.names import resolve
from keeprate.cli import dossier
from keeprate.cli import matrix as matrices
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Screen, money, table
from keeprate.cli.shelf import Shelf, live_price, printed_price, shelf_for
from keeprate.domain.errors import ModelRetired, UnknownModel
from keeprate.domain.money import display
from keeprate.domain.routes import ModelId

models = App(name="models", default_parameter=Parameter(negative=(), show_default=False), version_flags=())


@models.default
def listing(
    *,
    retired: bool = False,
    surface: str | None = None,
    matrix: bool = False,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """List the models that answer on the day, with what one image costs.

    Parameters
    ----------
    retired
        Those of the past too.
    surface
        gemini-api or vertex. Otherwise those of your upstreams.
    matrix
        Compare them, capability by capability.
    """
    shelf = shelf_for(everywhere, surface=surface)
    screen = Screen(everywhere)
    if matrix:
        found = compared(shelf.book, shelf.day, shelf.surfaces[0])
        screen.answer(matrices.as_json(found), *matrices.drawn(found, screen.out.width))
        return 0
    cards = shelf.cards(retired=retired)
    document = {"as_of": shelf.day, "models": [_as_json(shelf, card) for card in cards]}
    screen.answer(
        document,
        _drawn(shelf, cards),
        f"\nPrices of {shelf.day}, per image. Sources: keeprate models show MODEL",
    )
    return 0


@models.command
def show(model: str, /, *, surface: str | None = None, everywhere: Everywhere = EVERYWHERE) -> int:
    """Show all that is known of a model, each fact with its source and dates.

    Parameters
    ----------
    model
        An id, a preview id or a market name; retired ones too.
    surface
        gemini-api or vertex. Otherwise that of your first upstream that knows it.
    """
    shelf = shelf_for(everywhere, surface=surface)
    card = _card(shelf, model)
    known = dossier.Dossier(
        card=card,
        price=shelf.price(card),
        successor=shelf.book.successor(card.surface, card.model, shelf.day),
        contradictions=tuple(
            one
            for one in shelf.book.contradictions()
            if (one.surface, one.model) == (card.surface, card.model)
        ),
        day=shelf.day,
    )
    Screen(everywhere).answer(dossier.as_json(known), *dossier.drawn(known))
    return 0


models.command(
    "keeprate.cli.drift:check", name="check", help="Compare our token rates with an independent price list."
)
models.command(
    "keeprate.cli.record:record",
    name="record",
    help="Show what is known of a connection before it is relied on, and what nobody has found out.",
)


def _card(shelf: Shelf, name: str) -> ModelCard:
    """Return the card that `name` means. To be shown, a model need not be alive."""
    unknown: UnknownModel | None = None
    for surface in shelf.surfaces:
        exact = shelf.book.find(surface, ModelId(name), shelf.day)
        if exact is not None:
            return exact
        try:
            return resolve(shelf.book, name, surface, shelf.day).card
        except ModelRetired as fault:
            return shelf.book.card(surface, ModelId(str(fault.value)), shelf.day)
        except UnknownModel as fault:
            unknown = unknown or fault
    raise unknown or UnknownModel("no surface is configured", field="model", value=name)


def _drawn(shelf: Shelf, cards: tuple[ModelCard, ...]) -> RenderableType:
    many = len(shelf.surfaces) > 1
    names = () if any(not card.lives_on(shelf.day) for card in cards) else ("known as",)
    drawn = table("model", *names, *(("surface",) if many else ()), "an image", "refs", "ends")
    for card in cards:
        style = "" if card.lives_on(shelf.day) else "dim"
        drawn.add_row(
            Text(card.model, style=f"bold {style}"),
            *((card.market_name,) if names else ()),
            *((str(card.surface),) if many else ()),
            _prices_text(shelf, card),
            str(card.max_references),
            _end_text(shelf, card),
            style=style,
        )
    return drawn


def _prices_text(shelf: Shelf, card: ModelCard) -> Text:
    lines: list[str] = []
    for price in shelf.prices(card):
        if price.upstream is not None:
            lines.append(f"by {price.upstream}:")
        known = [(size, live_price(price, size)) for size in card.sizes]
        lines += [f"{size:>3} {money(cost)}" for size, cost in known if cost is not None]
    return Text("\n".join(lines), no_wrap=True)


def _end_text(shelf: Shelf, card: ModelCard) -> Text:
    if card.shutdown_on is not None:
        word = "ended" if card.shutdown_on <= shelf.day else "ends"
        return Text(f"{word}\n{card.shutdown_on}", no_wrap=True, style="red" if word == "ended" else "yellow")
    if card.deprecated_on is not None and card.deprecated_on <= shelf.day:
        return Text("deprecated", style="yellow")
    return Text("preview" if card.is_preview else "")


def _as_json(shelf: Shelf, card: ModelCard) -> dict[str, object]:
    price = shelf.price(card)
    live = {str(size): live_price(price, size) for size in card.sizes}
    printed = {str(size): printed_price(price, size) for size in card.sizes}
    return {
        "model": str(card.model),
        "market_name": card.market_name,
        "surface": str(card.surface),
        "line": card.line,
        "alive": card.lives_on(shelf.day),
        "preview_of": card.preview_of,
        "released_on": card.released_on,
        "deprecated_on": card.deprecated_on,
        "shutdown_on": card.shutdown_on,
        "sizes": [str(size) for size in card.sizes],
        "ratios": [str(ratio) for ratio in card.ratios],
        "max_references": card.max_references,
        "image_usd": {size: display(cost) for size, cost in live.items() if cost is not None},
        "printed_usd": {size: display(cost) for size, cost in printed.items() if cost is not None},
        "price_id": None if price is None else price.id,
        "price_upstream": None if price is None else price.upstream,
    }
