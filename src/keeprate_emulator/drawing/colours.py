"""Colours: by name as prompts say them, and in sets that go together."""

import colorsys
import re

from PIL import Image

Colour = tuple[int, int, int]

NAMED: dict[str, Colour] = {
    "red": (206, 32, 41), "crimson": (176, 22, 52), "scarlet": (222, 48, 32), "burgundy": (112, 20, 44),
    "orange": (238, 122, 32), "amber": (245, 172, 38), "yellow": (250, 205, 44), "gold": (205, 158, 54),
    "golden": (214, 166, 58), "green": (42, 138, 82), "emerald": (16, 138, 98), "olive": (112, 118, 52),
    "mint": (160, 220, 190), "sage": (156, 174, 142), "teal": (18, 122, 128), "turquoise": (52, 186, 186),
    "cyan": (44, 184, 214), "blue": (34, 86, 184), "navy": (20, 34, 78), "indigo": (58, 46, 140),
    "violet": (118, 74, 178), "purple": (106, 52, 148), "lavender": (186, 170, 222), "magenta": (204, 38, 130),
    "pink": (240, 138, 172), "coral": (246, 118, 98), "salmon": (246, 150, 128), "brown": (112, 72, 46),
    "beige": (232, 220, 196), "cream": (248, 240, 220), "ivory": (250, 246, 234), "white": (252, 252, 250),
    "grey": (132, 138, 146), "gray": (132, 138, 146), "silver": (190, 196, 204), "black": (22, 22, 26),
    "charcoal": (50, 54, 62), "terracotta": (198, 98, 66), "copper": (184, 112, 68), "peach": (252, 202, 168),
}  # fmt: skip
_NAME = re.compile(r"\b(" + "|".join(NAMED) + r")\b", re.IGNORECASE)

# Ground, ink, then three accents.
SETS: tuple[tuple[Colour, Colour, Colour, Colour, Colour], ...] = (
    ((246, 236, 216), (34, 40, 58), (214, 72, 54), (240, 176, 64), (44, 116, 124)),
    ((20, 42, 66), (248, 238, 218), (240, 112, 84), (250, 190, 88), (96, 170, 178)),
    ((238, 230, 222), (48, 36, 40), (184, 70, 86), (226, 154, 122), (86, 110, 92)),
    ((252, 214, 160), (56, 32, 48), (224, 84, 66), (252, 244, 226), (58, 110, 132)),
    ((26, 66, 62), (246, 238, 218), (238, 168, 72), (218, 92, 66), (132, 178, 150)),
    ((222, 234, 234), (28, 48, 66), (34, 116, 146), (246, 186, 90), (232, 106, 92)),
    ((46, 34, 62), (250, 236, 224), (238, 108, 128), (250, 184, 110), (122, 112, 190)),
    ((236, 238, 224), (40, 52, 44), (98, 140, 96), (228, 170, 78), (202, 96, 66)),
)


def colours_in(text: str) -> tuple[Colour, ...]:
    """Return the colours that a text names, in order."""
    return tuple(NAMED[name.lower()] for name in _NAME.findall(text))


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Return `one` with a share, 0 to 1, of `other` in it."""
    first, second, third = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return (first, second, third)


def darker(colour: Colour, share: float = 0.25) -> Colour:
    """Return the colour in shade."""
    return mixed(colour, (12, 14, 24), share)


def lighter(colour: Colour, share: float = 0.25) -> Colour:
    """Return the colour in light."""
    return mixed(colour, (255, 252, 244), share)


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio of two colours as WCAG 2 defines it, 1 to 21."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def turned(picture: Image.Image) -> Image.Image:
    """Return the picture with every hue turned by a third of the circle."""
    hue, saturation, value = picture.convert("HSV").split()
    return Image.merge(
        "HSV", (hue.point([(tone + 85) % 256 for tone in range(256)]), saturation, value)
    ).convert("RGB")


def turned_colour(colour: Colour) -> Colour:
    """Return one colour with its hue turned by a third of the circle."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    red, green, blue = colorsys.hls_to_rgb((hue + 1 / 3) % 1, light, saturation)
    return (round(red * 255), round(green * 255), round(blue * 255))


def _luminance(colour: Colour) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = colour
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
