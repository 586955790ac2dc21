from tests.books import official_book
from tests.unit.catalogue.facts import PAINTER_FACTS, book_from, row


def kept() -> dict[tuple[str, str, str], tuple[str | None, str]]:
    return {
        (one.surface, one.model, one.fact): (one.taken_value, one.other_value)
        for one in official_book().contradictions()
    }


def test_the_known_contradictions_are_kept_with_the_side_taken() -> None:
    found = kept()
    assert found["gemini-api", "gemini-3.1-flash-image", "shutdown on"] == ("2026-10-29", "not announced")
    assert found["gemini-api", "gemini-2.5-flash-image", "shutdown on"] == ("2026-10-02", "not announced")
    assert found["gemini-api", "gemini-nano-banana-2.1", "image_tokens"] == (
        "1K 1120, 2K 1680, 4K 3780",
        "1K 1120, 2K 1680, 4K 2520",
    )
    assert found["vertex", "imagen-4.0-generate-001", "batch lane"] == (
        "not offered",
        "1/2 of the live price",
    )
    assert found["vertex", "imagen-4.0-generate-001", "sizes"] == ("1K, 2K", "1K, 2K, 4K")
    assert found["gemini-api", "imagen-4.0-generate-001", "successor"] == (
        "gemini-nano-banana-2.1 with thinking high",
        "gemini-3.1-flash-image",
    )
    assert found["gemini-api", "gemini-3-pro-image", "max_references"] == ("14", "3")


def test_both_sides_of_a_contradiction_name_their_source() -> None:
    for one in official_book().contradictions():
        assert one.other.source
        assert not one.other.taken
        if one.taken is not None:
            assert one.taken.taken


def test_a_fact_nobody_is_believed_on_is_listed_without_a_taken_side() -> None:
    book = book_from(PAINTER_FACTS, row("capability", "c2pa = true", taken="false"))
    (one,) = book.contradictions()
    assert (one.fact, one.taken_value, one.taken, one.other_value) == ("c2pa", None, None, "True")
