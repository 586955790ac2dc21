"""The sign on every picture that nobody paid for it: in the pixels, and in the file's own text."""

import math
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

WORD = "SIMULATED"
SENTENCE = "Simulated picture, drawn by keeprate-emulator. No image model was called."


def stamp(picture: Image.Image) -> None:
    """Set the word SIMULATED into the lower right corner, legible on any ground."""
    even = math.sqrt(picture.width * picture.height)
    plate = _plate(max(11, round(min(even / 52, min(picture.size) / 8))))
    gap = max(4, min(picture.size) // 60)
    picture.paste(plate, (picture.width - plate.width - gap, picture.height - plate.height - gap), plate)


@lru_cache(maxsize=32)
def _plate(letter_px: int) -> Image.Image:
    font = ImageFont.load_default(letter_px)
    left, top, right, bottom = font.getbbox(WORD, stroke_width=0)
    spacing = letter_px // 8
    width = int(right - left) + spacing * len(WORD) + letter_px
    height = int(bottom - top) + int(letter_px * 0.8)
    plate = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(plate)
    pen.rounded_rectangle((0, 0, width - 1, height - 1), radius=height // 2, fill=(12, 12, 14, 190))
    across = letter_px / 2 + spacing / 2
    for letter in WORD:
        pen.text(
            (across - left, (height - (bottom - top)) / 2 - top), letter, font=font, fill=(255, 255, 255, 255)
        )
        across += font.getlength(letter) + spacing
    return plate
