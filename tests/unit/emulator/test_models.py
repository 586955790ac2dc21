"""Which ids answer on which day."""

from datetime import date, timedelta

import pytest

from keeprate_emulator.grids import nearest_ratio, pixels_of
from keeprate_emulator.models import all_models, living_model
from keeprate_emulator.refusals import Refusal

FIRST_DAYS_DEAD = [
    ("gemini-3-pro-image-preview", "gemini-api", date(2026, 6, 25)),
    ("gemini-3-pro-image-preview", "vertex", date(2026, 7, 17)),
    ("gemini-3.1-flash-image-preview", "gemini-api", date(2026, 6, 25)),
    ("gemini-3.1-flash-image", "gemini-api", date(2026, 10, 29)),
    ("gemini-2.5-flash-image", "gemini-api", date(2026, 10, 2)),
    ("imagen-4.0-generate-001", "gemini-api", date(2026, 8, 17)),
    ("imagen-4.0-ultra-generate-001", "vertex", date(2026, 8, 17)),
    ("imagen-4.0-fast-generate-001", "vertex", date(2026, 8, 17)),
]


@pytest.mark.parametrize(("model_id", "surface", "dead"), FIRST_DAYS_DEAD)
def test_a_retired_id_answers_until_its_day(model_id: str, surface: str, dead: date) -> None:
    method = all_models()[model_id].family.method
    before = dead - timedelta(days=1)
    assert living_model(model_id, surface, before, method=method, version="v1").id == model_id  # type: ignore[arg-type]
    with pytest.raises(Refusal) as caught:
        living_model(model_id, surface, dead, method=method, version="v1")  # type: ignore[arg-type]
    assert caught.value.code == 404


def test_an_id_does_not_answer_before_its_release() -> None:
    with pytest.raises(Refusal):
        living_model(
            "gemini-nano-banana-2.1", "gemini-api", date(2026, 10, 5), method="generateContent", version="v1"
        )
    assert living_model(
        "gemini-nano-banana-2.1", "gemini-api", date(2026, 10, 6), method="generateContent", version="v1"
    )


@pytest.mark.parametrize(
    ("model_id", "method"),
    [
        ("imagen-4.0-generate-001", "generateContent"),
        ("gemini-2.5-flash-image", "predict"),
        ("gemini-3-pro", "generateContent"),
    ],
)
def test_the_wrong_verb_and_an_unknown_id_look_alike(model_id: str, method: str) -> None:
    with pytest.raises(Refusal) as caught:
        living_model(model_id, "gemini-api", date(2026, 7, 1), method=method, version="v1beta")
    assert caught.value.body()["error"]["status"] == "NOT_FOUND"  # type: ignore[index]
    assert f"not supported for {method}" in caught.value.message


def test_vertex_keeps_a_model_that_the_gemini_api_has_dropped() -> None:
    assert all_models()["gemini-3.1-flash-image"].lives("vertex", date(2026, 11, 21))
    assert not all_models()["gemini-3.1-flash-image"].lives("gemini-api", date(2026, 11, 21))


def test_every_offered_ratio_and_size_has_its_pixels() -> None:
    for model in all_models().values():
        for size in model.family.sizes or ("1K",):
            for ratio in model.family.ratios:
                width, height = pixels_of(model.family.grid, size, ratio)
                assert width > 0
                assert height > 0


@pytest.mark.parametrize(
    ("grid", "size", "ratio", "pixels"),
    [
        ("gemini-3", "1K", "16:9", (1376, 768)),
        ("gemini-3", "512", "21:9", (792, 168)),
        ("gemini-3", "4K", "8:1", (12288, 1536)),
        ("gemini-2.5", "1K", "4:3", (1184, 864)),
        ("imagen-4", "2K", "9:16", (1536, 2816)),
    ],
)
def test_pixels_are_those_of_the_family(grid: str, size: str, ratio: str, pixels: tuple[int, int]) -> None:
    assert pixels_of(grid, size, ratio) == pixels


def test_an_edit_without_a_ratio_keeps_near_its_picture() -> None:
    assert nearest_ratio((1376, 768), ("1:1", "4:3", "16:9", "9:16")) == "16:9"
    assert nearest_ratio((700, 1000), ("1:1", "3:4", "2:3", "9:16")) == "2:3"
