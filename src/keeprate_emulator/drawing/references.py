"""Reference pictures carried over into a new one: unrotated and whole, so that likeness can be checked."""

import math

from PIL import Image, ImageDraw, ImageFilter

from keeprate_emulator.drawing.lettering import Box

_MARGIN = 0.07
_SHADE = (20, 20, 30)


def carried_over(sheet: Image.Image, box: Box, references: list[Image.Image]) -> None:
    """Set the references as prints into the box, one large or several in rows."""
    for cell, picture in zip(_cells(box, len(references)), references, strict=True):
        _print(sheet, cell, picture)


def _cells(box: Box, count: int) -> list[Box]:
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    columns = max(1, min(count, round(math.sqrt(count * width / height))))
    rows = math.ceil(count / columns)
    cells: list[Box] = []
    for place in range(count):
        row, column = divmod(place, columns)
        in_row = min(columns, count - row * columns)
        indent = (width - width * in_row / columns) / 2
        x = left + indent + width * column / columns
        y = top + height * row / rows
        cells.append((round(x), round(y), round(x + width / columns), round(y + height / rows)))
    return cells


def _print(sheet: Image.Image, cell: Box, picture: Image.Image) -> None:
    left, top, right, bottom = cell
    gap = round(min(right - left, bottom - top) * _MARGIN)
    room = (max(1, right - left - 2 * gap), max(1, bottom - top - 2 * gap))
    scale = min(room[0] / picture.width, room[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    scaled = picture.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
    corner = ((left + right - size[0]) // 2, (top + bottom - size[1]) // 2)
    _shadow(sheet, (*corner, corner[0] + size[0], corner[1] + size[1]), gap)
    sheet.paste(scaled, corner)


def _shadow(sheet: Image.Image, box: Box, gap: int) -> None:
    blur = max(2, gap // 3)
    # A soft edge needs no detail: it is made small and stretched.
    width, height = box[2] - box[0] + 4 * blur, box[3] - box[1] + 4 * blur
    step = max(1, blur // 3)
    small = Image.new("L", (max(1, width // step), max(1, height // step)), 0)
    inset = 2 * blur // step
    ImageDraw.Draw(small).rectangle((inset, inset, small.width - inset, small.height - inset), fill=120)
    soft = small.filter(ImageFilter.GaussianBlur(blur / step)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    sheet.paste(
        Image.new("RGB", (width, height), _SHADE), (box[0] - 2 * blur, box[1] - 2 * blur + blur // 2), soft
    )
