"""Pictures: exact pixels, the words in type, references kept, the mark, and no two files alike."""

import io
import random

import pytest
from PIL import Image, ImageChops, ImageStat

from keeprate_emulator.drawing.colours import NAMED, contrast
from keeprate_emulator.drawing.labels import labels_in
from keeprate_emulator.drawing.letters import settable
from keeprate_emulator.drawing.mark import SENTENCE, stamp
from keeprate_emulator.drawing.motifs import MOTIFS
from keeprate_emulator.drawing.orders import Order, Picture
from keeprate_emulator.drawing.studio import drawn
from keeprate_emulator.drawing.templates import from_template
from keeprate_emulator.flaws import Flaws, flaws_of, profiles

RED = NAMED["red"]


def order(
    prompt: str, *, pixels: tuple[int, int] = (512, 512), mime: str = "image/png", **more: object
) -> Order:
    usual: dict[str, object] = {
        "prompt": prompt,
        "flaws": Flaws(labels=labels_in(prompt)),
        "pixels": pixels,
        "references": (),
        "mime": mime,
        "quality": 90,
        "response_id": "r-1",
        "seed": "s",
    }
    return Order(**(usual | more))  # type: ignore[arg-type]


def seen(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.content))
    image.load()
    return image


def share_of(image: Image.Image, colour: tuple[int, int, int], near: int = 12) -> float:
    plain = Image.new("RGB", image.size, colour)
    far = (
        ImageChops.difference(image.convert("RGB"), plain)
        .convert("L")
        .point([0 if v <= near else 255 for v in range(256)])
    )
    return 1 - ImageStat.Stat(far).mean[0] / 255


@pytest.mark.parametrize(
    ("prompt", "labels"),
    [
        ("A poster that says 'GRAND OPENING' in red", ("GRAND OPENING",)),
        (
            'with "Fresh Bread" and “Every Day”, „Neu“, «Ouvert»',
            ("Fresh Bread", "Every Day", "Neu", "Ouvert"),
        ),
        ("the dog's bowl isn't 'full' of the cats' food", ("full",)),
        ("a sign 'DON'T PANIC' twice 'DON'T PANIC'", ("DON'T PANIC",)),
        ("‘Curly’ words", ("Curly",)),
        ("no words at all", ()),
        ("empty '' quotes", ()),
    ],
)
def test_quoted_words_are_lettering(prompt: str, labels: tuple[str, ...]) -> None:
    assert labels_in(prompt) == labels


@pytest.mark.parametrize("pixels", [(512, 512), (768, 1376), (792, 168), (384, 3072), (3072, 384), (64, 64)])
@pytest.mark.parametrize("mime", ["image/png", "image/jpeg"])
def test_a_picture_has_the_ordered_pixels_and_type(pixels: tuple[int, int], mime: str) -> None:
    for work in (drawn, from_template):
        picture = work(order("A 'SALE' banner with a shoe", pixels=pixels, mime=mime))
        assert seen(picture).size == pixels
        assert Image.MIME[seen(picture).format or ""] == mime == picture.mime == picture.label


def test_lettering_takes_the_colour_that_was_asked_for() -> None:
    red = share_of(seen(drawn(order("A poster that says 'GRAND OPENING' in red", pixels=(1024, 1024)))), RED)
    other = share_of(
        seen(drawn(order("A poster that says 'GRAND OPENING' in navy", pixels=(1024, 1024)))), RED
    )
    assert red > 0.02
    assert other < 0.002


def test_a_ground_takes_the_colour_that_was_asked_for() -> None:
    picture = seen(drawn(order("'OPEN' in white letters on a navy background", pixels=(1024, 1024))))
    assert share_of(picture, NAMED["navy"]) > 0.15


def test_other_words_make_another_picture() -> None:
    one, other = (seen(drawn(order(prompt))) for prompt in ("a cup of coffee", "a boat at sea"))
    assert ImageStat.Stat(ImageChops.difference(one, other)).mean[0] > 10


def test_every_motif_can_be_drawn() -> None:
    words = "cup bottle shoe flower heart star balloon cat bird fish shop house car boat gift person book tree apple lamp bag bread chart rocket"
    assert set(words.split()) == set(MOTIFS)
    for word in words.split():
        assert seen(drawn(order(f"a {word}", pixels=(128, 128)))).size == (128, 128)


@pytest.mark.parametrize("count", [1, 2, 5, 14])
def test_references_are_carried_over_whole(count: int) -> None:
    tones = [(20 + place * 15, 230 - place * 14, 120) for place in range(count)]
    references = []
    for tone in tones:
        buffer = io.BytesIO()
        Image.new("RGB", (90, 60), tone).save(buffer, "PNG")
        references.append(buffer.getvalue())
    image = seen(drawn(order("put them on a table", pixels=(800, 600), references=tuple(references))))
    for tone in tones:
        assert share_of(image, tone, near=3) > 0.25 / count / 4, tone


def test_an_unreadable_reference_does_not_stop_the_drawing() -> None:
    assert seen(drawn(order("a cat", references=(b"nothing",)))).size == (512, 512)


def test_shifted_colours_are_seen() -> None:
    prompt = "A poster that says 'GRAND OPENING' in red"
    flaws = Flaws(labels=("GRAND OPENING",), colours_shifted=True)
    assert share_of(seen(drawn(order(prompt, pixels=(1024, 1024), flaws=flaws))), RED) < 0.002


def test_the_wrong_subject_is_another_one() -> None:
    right = seen(drawn(order("a cup on a table")))
    wrong = seen(drawn(order("a cup on a table", flaws=Flaws(labels=(), wrong_subject=True))))
    assert ImageStat.Stat(ImageChops.difference(right, wrong)).mean[0] > 5


def test_every_picture_says_that_it_is_simulated() -> None:
    for work in (drawn, from_template):
        png = work(order("a cat"))
        assert seen(png).info["Comment"] == f"{SENTENCE} response-id=r-1"
        jpeg = work(order("a cat", mime="image/jpeg"))
        assert SENTENCE.encode() in seen(jpeg).info["comment"]


@pytest.mark.parametrize("pixels", [(1024, 1024), (4096, 4096), (384, 3072), (792, 168)])
@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0), (200, 60, 60)])
def test_the_mark_stands_out_on_any_ground(pixels: tuple[int, int], ground: tuple[int, int, int]) -> None:
    sheet = Image.new("RGB", pixels, ground)
    stamp(sheet)
    box = ImageChops.difference(sheet, Image.new("RGB", pixels, ground)).getbbox()
    assert box is not None
    corner = sheet.crop(box)
    colours = [colour for _, colour in corner.getcolors(corner.width * corner.height) or []]
    assert max(contrast(one, (255, 255, 255)) for one in colours) > 4.5  # type: ignore[arg-type]
    assert min(contrast(one, (255, 255, 255)) for one in colours) < 1.3  # type: ignore[arg-type]
    assert box[3] - box[1] >= 16


def test_two_fast_pictures_differ_in_bytes_and_not_in_pixels() -> None:
    one, other = from_template(order("a")), from_template(order("a", response_id="r-2"))
    assert one.content != other.content
    assert seen(one).tobytes() == seen(other).tobytes()


def test_drawing_repeats_under_its_seed() -> None:
    assert drawn(order("a city at night")).content == drawn(order("a city at night")).content


def test_flaws_come_at_their_rates_and_are_told() -> None:
    profile = profiles(None)["imagen-fast"]
    thrown = [
        flaws_of(("GRAND OPENING", "TODAY"), profile, random.Random(seed), references=0, size="1K")
        for seed in range(4000)
    ]
    kinds = [flaw.kind for flaws in thrown for flaw in flaws.found]
    assert abs(kinds.count("dropped_label") / 4000 - profile.dropped_label) < 0.02
    assert abs(kinds.count("wrong_subject") / 4000 - profile.wrong_subject) < 0.02
    for flaws in thrown:
        changed = {
            flaw.wanted: flaw.drawn for flaw in flaws.found if flaw.kind in {"misspelt_word", "dropped_label"}
        }
        expected = tuple(
            changed.get(label, label) for label in ("GRAND OPENING", "TODAY") if changed.get(label, label)
        )
        assert flaws.labels == expected


def test_more_references_and_words_mean_more_flaws() -> None:
    profile = profiles(None)["flash-2-5"]

    def count(labels: tuple[str, ...], references: int) -> int:
        return sum(
            len(flaws_of(labels, profile, random.Random(seed), references=references, size="1K").found)
            for seed in range(1500)
        )

    assert count(("ONE",), 0) < count(("ONE", "TWO", "THREE FOUR"), 0)
    assert count((), 0) < count((), 3)


@pytest.mark.parametrize(
    ("wanted", "set_as", "lacking"),
    [
        ("Château d'Été – 12 €", "Château d'Été – 12 €", False),
        ("Łódź Smørrebrød señor", "Łódź Smørrebrød señor", False),
        ("wait…", "wait...", False),
        ("Größe", "Grösse", True),
        ("开业 SALE", "?? SALE", True),
    ],
)
def test_letters_are_set_or_their_lack_is_told(wanted: str, set_as: str, lacking: bool) -> None:
    assert settable(wanted) == set_as
    flaws = flaws_of((wanted,), profiles(None)["pro"], random.Random(1), references=0, size="4K")
    assert flaws.labels == (set_as,)
    assert [flaw.kind for flaw in flaws.found] == (["missing_letter"] if lacking else [])
    assert seen(drawn(order(f"“{wanted}”", flaws=flaws))).size == (512, 512)


def test_an_accent_is_seen() -> None:
    plain, accented = (
        seen(drawn(order("a sign", flaws=Flaws(labels=(label,))))).crop((0, 0, 512, 512))
        for label in ("OTE", "ÔTÉ")
    )
    assert ImageChops.difference(plain, accented).getbbox() is not None
