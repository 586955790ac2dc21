"""Sizes and qualities in OpenAI's words, against the facts of today's models."""

from datetime import date

import pytest

from keeprate.bootstrap import read_book
from keeprate.catalogue.cards import ModelCard
from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Thinking
from keeprate.domain.routes import GEMINI_API, ModelId
from keeprate.gateway.openai.sizes import FARTHEST, Fitted, fitted
from keeprate.settings import read_settings

DAY = date(2026, 11, 21)
PRO = ModelId("gemini-3-pro-image")


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelCard, ...]:
    home = tmp_path_factory.mktemp("home")
    book = read_book(read_settings({}, cwd=home, home=home))
    return tuple(card for card in book.known(GEMINI_API, DAY) if card.lives_on(DAY))


def fit(
    cards: tuple[ModelCard, ...],
    size: str | None = None,
    quality: str | None = None,
    *,
    is_named: bool = False,
    largest: Size | None = None,
) -> Fitted:
    return fitted(size, quality, cards, is_named=is_named, largest=largest)


@pytest.mark.parametrize(
    ("size", "ratio", "drawn"),
    [
        ("1024x1024", "1:1", Size.ONE_K),
        ("1024x1536", "2:3", Size.ONE_K),
        ("1536x1024", "3:2", Size.ONE_K),
        ("1792x1024", "16:9", Size.ONE_K),
        ("1024x1792", "9:16", Size.ONE_K),
        ("2048x2048", "1:1", Size.TWO_K),
        ("2560x1440", "16:9", Size.TWO_K),
        ("1440x2560", "9:16", Size.TWO_K),
        ("3840x2160", "16:9", Size.FOUR_K),
        ("4096x4096", "1:1", Size.FOUR_K),
    ],
)
def test_pixels_say_ratio_and_class(cards: tuple[ModelCard, ...], size: str, ratio: str, drawn: Size) -> None:
    found = fit(cards, size, "high")
    assert (str(found.ratio), found.size) == (ratio, drawn)


def test_every_size_a_model_draws_may_be_asked_for_by_its_own_pixels(cards: tuple[ModelCard, ...]) -> None:
    """Some sizes drawn are not quite of the ratio they are named for; those within 2 % of one must be taken."""
    for card in cards:
        for (ratio, size), pixels in card.grid.items():
            named, real = ratio.width / ratio.height, pixels.width / pixels.height
            if size in card.sizes and max(named / real, real / named) - 1 <= FARTHEST:
                assert fit((card,), str(pixels)).ratio is not None, (card.model, str(pixels))


def test_another_shape_is_refused_with_the_nearest(cards: tuple[ModelCard, ...]) -> None:
    with pytest.raises(InvalidValue) as refused:
        fit(cards, "1000x300")
    assert refused.value.field == "size"
    assert refused.value.facts["nearest"] in str(refused.value.message)


@pytest.mark.parametrize("size", ["big", "1024", "0x1024", "1024x", "-1x5", "1024×1024", "99999x99999"])
def test_what_is_no_size_is_refused(cards: tuple[ModelCard, ...], size: str) -> None:
    with pytest.raises(InvalidValue, match="size"):
        fit(cards, size)


@pytest.mark.parametrize(
    ("quality", "drawn"),
    [
        (None, Size.ONE_K),
        ("auto", Size.ONE_K),
        ("low", Size.ONE_K),
        ("standard", Size.ONE_K),
        ("high", Size.TWO_K),
        ("hd", Size.TWO_K),
        ("xhigh", Size.TWO_K),
        ("max", Size.FOUR_K),
    ],
)
def test_quality_says_the_class_where_no_pixels_do(
    cards: tuple[ModelCard, ...], quality: str | None, drawn: Size
) -> None:
    for size in (None, "auto"):
        assert fit(cards, size, quality) == Fitted(ratio=None, size=drawn, thinking=None)


def test_quality_asks_for_no_more_than_a_key_allows(cards: tuple[ModelCard, ...]) -> None:
    assert fit(cards, quality="max", largest=Size.TWO_K).size is Size.TWO_K


def test_quality_says_how_long_a_named_model_thinks_where_it_takes_a_level(
    cards: tuple[ModelCard, ...],
) -> None:
    flash = next(card for card in cards if {terms.level for terms in card.thinking} >= {Thinking.HIGH})
    pro = next(card for card in cards if card.model == PRO)
    assert fit((flash,), quality="high", is_named=True).thinking is Thinking.HIGH
    assert fit((flash,), quality="low", is_named=True).thinking is Thinking.MINIMAL
    assert fit((flash,), quality="medium", is_named=True).thinking is None
    assert fit((pro,), quality="high", is_named=True).thinking is None


def test_half_a_k_is_drawn_where_a_model_can_and_one_k_elsewhere(cards: tuple[ModelCard, ...]) -> None:
    pro = tuple(card for card in cards if card.model == PRO)
    halves = tuple(card for card in cards if Size.HALF_K in card.sizes)
    assert fit(pro, "512x512").size is Size.ONE_K
    for card in halves:
        assert fit((card,), "512x512").size is Size.HALF_K
