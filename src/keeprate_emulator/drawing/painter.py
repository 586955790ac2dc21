"""The composition: art, references, lettering and mark on one sheet of exactly the ordered pixels."""

from PIL import Image, ImageDraw

from keeprate_emulator import pictures
from keeprate_emulator.drawing.backdrops import BACKDROPS
from keeprate_emulator.drawing.briefs import Brief, brief_of
from keeprate_emulator.drawing.canvas import Canvas
from keeprate_emulator.drawing.colours import Colour, contrast, darker, lighter, turned
from keeprate_emulator.drawing.lettering import Box, best_setting, set_lines
from keeprate_emulator.drawing.mark import stamp
from keeprate_emulator.drawing.motifs import MOTIFS, Spot
from keeprate_emulator.drawing.orders import Order
from keeprate_emulator.drawing.references import carried_over

# Art is drawn on at most this many pixels and scaled; up to 1K twice as wide as needed, so that edges are smooth.
_ART_PIXELS = 8_000_000


def painted(order: Order) -> Image.Image:
    """Return the finished picture."""
    brief = brief_of(order)
    sheet = Image.new("RGB", order.pixels, brief.ground)
    art_box, text_box = _division(order.pixels, brief)
    found = [picture for picture in map(pictures.opened, order.references) if picture is not None]
    _place_art(sheet, art_box, brief, found)
    if text_box is not None:
        _place_words(sheet, text_box, brief)
    if order.flaws.colours_shifted:
        sheet = turned(sheet)
    stamp(sheet)
    return sheet


def _division(pixels: tuple[int, int], brief: Brief) -> tuple[Box, Box | None]:
    """Return where art goes and where words go: one above the other, or side by side on a wide sheet."""
    width, height = pixels
    if not brief.labels:
        return (0, 0, width, height), None
    share = 0.36 + min(0.16, 0.04 * (len(brief.labels) - 1))
    if width > 1.45 * height:
        cut = round(width * (0.52 if width < 3 * height else 0.6))
        text_left = brief.dice.random() < 0.5
        return ((cut, 0, width, height), (0, 0, cut, height)) if text_left else (
            (0, 0, width - cut, height), (width - cut, 0, width, height)
        )  # fmt: skip
    cut = round(height * share)
    if brief.dice.random() < 0.35:
        return (0, cut, width, height), (0, 0, width, cut)
    return (0, 0, width, height - cut), (0, height - cut, width, height)


def _place_art(sheet: Image.Image, box: Box, brief: Brief, references: list[Image.Image]) -> None:
    left, top, right, bottom = box
    size = (right - left, bottom - top)
    scale = min(2.0, (_ART_PIXELS / (size[0] * size[1])) ** 0.5)
    canvas = Canvas((max(1, round(size[0] * scale)), max(1, round(size[1] * scale))), brief.ground)
    if references:
        canvas.wash(lighter(brief.ground, 0.25), darker(brief.ground, 0.08))
    else:
        backdrop = "sun" if brief.backdrop == "burst" and len(brief.motifs) > 1 else brief.backdrop
        BACKDROPS[backdrop](canvas, brief.ground, brief.accents, brief.dice)
        _place_motifs(canvas, brief)
    art = canvas.image.resize(size, Image.Resampling.BOX if scale == 2.0 else Image.Resampling.BICUBIC)
    sheet.paste(art, (left, top))
    if references:
        carried_over(sheet, box, references)


def _place_motifs(canvas: Canvas, brief: Brief) -> None:
    count = len(brief.motifs)
    for place, name in enumerate(brief.motifs):
        # The first named thing stands large in the middle; others keep beside it.
        middle = canvas.wide * (0.5 if count == 1 else (place + 0.5) / count)
        side = min(0.78 if count == 1 else 0.62, canvas.wide / count * 0.92)
        # A bust is cut by the frame, everything else stands free.
        height = canvas.high - side / 2 if name == "person" else canvas.high * 0.56
        spot = Spot(canvas, (middle, height), side)
        main = brief.accents[place % 3]
        MOTIFS[name](spot, main, brief.accents[(place + 1) % 3])


def _place_words(sheet: Image.Image, box: Box, brief: Brief) -> None:
    left, top, right, bottom = box
    gap = round(min(right - left, bottom - top) * 0.1)
    width = right - left - 2 * gap
    height = bottom - top - 2 * gap
    headline, rest = brief.labels[0], brief.labels[1:]
    head_height = height if not rest else round(height * (0.62 if len(rest) == 1 else 0.46))
    setting = best_setting(
        headline,
        width,
        round(head_height * (0.94 if rest else 1.0)),
        largest=round(min(width, height) * 0.62),
    )
    ink = _legible(brief.lettering, brief)
    set_lines(
        sheet, setting, (left + gap, top + gap, right - gap, top + gap + head_height), colour=ink, bold=True
    )
    if not rest:
        return
    _rule(sheet, ((left + right) // 2, top + gap + head_height + gap // 3), width // 6, brief.accents[0])
    below = top + gap + head_height + round(gap * 0.6)
    each = (bottom - gap - below) // len(rest)
    for place, label in enumerate(rest):
        row = (left + gap, below + each * place, right - gap, below + each * (place + 1))
        small = best_setting(label, width, round(each * 0.86), largest=round(setting.size * 0.5))
        set_lines(sheet, small, row, colour=brief.ink, bold=False)


def _rule(sheet: Image.Image, middle: tuple[int, int], half: int, colour: Colour) -> None:
    thick = max(1, half // 24)
    box = (middle[0] - half, middle[1] - thick, middle[0] + half, middle[1] + thick)
    ImageDraw.Draw(sheet).rectangle(box, fill=colour)


def _legible(colour: Colour, brief: Brief) -> Colour:
    """Return the lettering colour, deepened or lightened only as far as reading needs."""
    away = darker if contrast((0, 0, 0), brief.ground) > contrast((255, 255, 255), brief.ground) else lighter
    for share in (0.0, 0.15, 0.3, 0.45, 0.6):
        candidate = away(colour, share)
        if contrast(candidate, brief.ground) >= 3.0:
            return candidate
    return brief.ink
