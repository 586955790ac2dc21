"""What a prompt says that can be drawn: lettering, colours, ground, subject."""

import random
import re
from dataclasses import dataclass

from keeprate_emulator.drawing.backdrops import BACKDROPS
from keeprate_emulator.drawing.colours import NAMED, SETS, Colour, colours_in, contrast, darker, lighter
from keeprate_emulator.drawing.motifs import MOTIFS
from keeprate_emulator.drawing.orders import Order

# Words to the drawing that stands for them.
_MOTIF_WORDS: dict[str, str] = {
    "cup": "cup", "coffee": "cup", "mug": "cup", "tea": "cup", "cafe": "cup", "espresso": "cup",
    "bottle": "bottle", "perfume": "bottle", "wine": "bottle", "serum": "bottle", "juice": "bottle", "shampoo": "bottle",
    "shoe": "shoe", "sneaker": "shoe", "sneakers": "shoe", "shoes": "shoe", "boot": "shoe", "trainer": "shoe",
    "flower": "flower", "flowers": "flower", "rose": "flower", "tulip": "flower", "bouquet": "flower", "floral": "flower",
    "heart": "heart", "love": "heart", "valentine": "heart", "wedding": "heart",
    "star": "star", "award": "star", "medal": "star", "balloon": "balloon", "balloons": "balloon", "birthday": "balloon",
    "cat": "cat", "kitten": "cat", "fox": "cat", "dog": "cat", "bird": "bird", "owl": "bird", "penguin": "bird",
    "fish": "fish", "seafood": "fish", "sushi": "fish", "shop": "shop", "store": "shop", "bakery": "shop", "market": "shop",
    "house": "house", "home": "house", "cottage": "house", "cabin": "house", "car": "car", "taxi": "car", "van": "car",
    "boat": "boat", "ship": "boat", "sail": "boat", "sailing": "boat", "yacht": "boat",
    "gift": "gift", "present": "gift", "box": "gift", "package": "gift", "packaging": "gift", "sale": "gift",
    "woman": "person", "man": "person", "girl": "person", "boy": "person", "person": "person", "character": "person",
    "portrait": "person", "chef": "person", "barista": "person", "runner": "person", "explorer": "person",
    "book": "book", "books": "book", "library": "book", "reading": "book", "tree": "tree", "oak": "tree", "apple": "apple",
    "fruit": "apple", "lamp": "lamp", "light": "lamp", "bag": "bag", "handbag": "bag", "tote": "bag", "backpack": "bag",
    "bread": "bread", "loaf": "bread", "sourdough": "bread", "chart": "chart", "infographic": "chart", "diagram": "chart",
    "statistics": "chart", "growth": "chart", "rocket": "rocket", "launch": "rocket", "startup": "rocket",
}  # fmt: skip
_BACKDROP_WORDS: dict[str, str] = {
    "mountain": "mountains", "mountains": "mountains", "alps": "mountains", "hiking": "mountains", "peak": "mountains",
    "sea": "sea", "ocean": "sea", "beach": "sea", "lake": "sea", "wave": "sea", "waves": "sea", "harbour": "sea",
    "forest": "forest", "woods": "forest", "jungle": "forest", "park": "forest", "garden": "forest",
    "city": "city", "skyline": "city", "street": "city", "urban": "city", "downtown": "city", "tokyo": "city", "paris": "city",
    "desert": "dunes", "dune": "dunes", "dunes": "dunes", "sunset": "sun", "sunrise": "sun", "sun": "sun", "summer": "sun",
    "night": "night", "moon": "night", "midnight": "night", "stars": "night", "space": "night", "winter": "mountains",
    "opening": "burst", "sale": "burst", "party": "burst", "festival": "burst", "celebration": "burst", "birthday": "burst",
    "abstract": "bauhaus", "geometric": "bauhaus", "pattern": "bauhaus", "bauhaus": "bauhaus", "shapes": "bauhaus",
    "studio": "plain", "packshot": "plain",
}  # fmt: skip
_AFTER = re.compile(r"^\W{0,3}(?:\w+\s+){0,3}?(?:in|as)\s+(?:\w+[\s,-]+){0,2}?(\w+)\b", re.IGNORECASE)
_BEFORE = re.compile(
    r"(\w+)\s+(?:\w+\s+)?(?:letters|lettering|text|type|words|headline|title|caption|sign)\b[^.]{0,40}$",
    re.IGNORECASE,
)
_TYPE_COLOUR = re.compile(
    r"(\w+)\s+(?:\w+\s+)?(?:letters|lettering|text|type|words|headline|title)\b", re.IGNORECASE
)
_GROUND = re.compile(
    r"(\w+)\s+(?:background|backdrop|ground|wall|paper|sky)\b"
    r"|\b(?:background|backdrop)\s+(?:to\s+|is\s+|in\s+)?(?:\w+\s+)?(\w+)\b"
    r"|\b(?:on|against|over)\s+(?:a\s+|an\s+)?(?:\w+\s+)?(\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """Everything the painter goes by."""

    labels: tuple[str, ...]
    lettering: Colour
    ground: Colour
    ink: Colour
    accents: tuple[Colour, Colour, Colour]
    backdrop: str
    motifs: tuple[str, ...]
    dice: random.Random


def brief_of(order: Order) -> Brief:
    """Read an order. Subject and set of colours follow the prompt; the dice only vary the arrangement."""
    prompt = order.prompt
    settled = random.Random(" ".join(sorted(set(_words(prompt)))))
    base, ink, *accents = settled.choice(SETS)
    wanted_ground = _ground_colour(prompt)
    lettering = _lettering_colour(prompt)
    named = tuple(
        colour for colour in colours_in(_unquoted(prompt)) if colour not in {wanted_ground, lettering}
    )
    ground = wanted_ground or _readable_ground(base, lettering)
    ink = ink if contrast(ink, ground) >= 4.5 else _ink_on(ground)
    first, second, third = (*named, *accents)[:3]
    backdrop, motifs = _subject(prompt, settled)
    if "fox" in _words(prompt) and not named:
        first = NAMED["terracotta"]
    if order.flaws.wrong_subject:
        motifs = (settled.choice(sorted(MOTIFS.keys() - set(motifs))),)
    return Brief(
        labels=order.flaws.labels,
        lettering=lettering or ink,
        ground=ground,
        ink=ink,
        accents=(first, second, third),
        backdrop=backdrop,
        motifs=motifs,
        dice=random.Random(order.seed),
    )


def _subject(prompt: str, settled: random.Random) -> tuple[str, tuple[str, ...]]:
    # What is to be seen comes before what is to be read.
    words = _words(_unquoted(prompt)) + _words(prompt)
    motifs = tuple(dict.fromkeys(_MOTIF_WORDS[word] for word in words if word in _MOTIF_WORDS))
    backdrops = [_BACKDROP_WORDS[word] for word in words if word in _BACKDROP_WORDS]
    if backdrops:
        return backdrops[0], motifs[:3]
    return (
        settled.choice(("plain", "sun", "arches")) if motifs else settled.choice(sorted(BACKDROPS))
    ), motifs[:3]


def _lettering_colour(prompt: str) -> Colour | None:
    """Return the colour asked for the first quoted words: `'SALE' in bold red`, or `red letters 'SALE'`."""
    quoted = re.search(r"[\"“„«‘']([^\"”“»’']+)[\"”“»’']", prompt)
    if quoted is None:
        return None
    after = _AFTER.match(prompt[quoted.end() :])
    if after and (found := colours_in(after.group(0))):
        return found[-1]
    before = _BEFORE.search(prompt[: quoted.start()])
    found = colours_in(before.group(0)) if before else ()
    for match in _TYPE_COLOUR.finditer(_unquoted(prompt)):
        found = (*found, *colours_in(match.group(1)))
    return found[0] if found else None


def _ground_colour(prompt: str) -> Colour | None:
    for match in _GROUND.finditer(_unquoted(prompt)):
        if found := colours_in(match.group(0)):
            return found[-1]
    return None


def _readable_ground(base: Colour, lettering: Colour | None) -> Colour:
    if lettering is None or contrast(base, lettering) >= 3.6:
        return base
    grounds = (SETS[0][0], SETS[1][0], lighter(SETS[0][0], 0.6), darker(SETS[1][0], 0.4))
    return max(grounds, key=lambda ground: contrast(ground, lettering))


def _ink_on(ground: Colour) -> Colour:
    return max(((30, 32, 44), (250, 244, 230)), key=lambda ink: contrast(ink, ground))


def _unquoted(prompt: str) -> str:
    return re.sub(r"[\"“„«][^\"”“»]*[\"”“»]|(?<!\w)['‘][^'’]*['’](?!\w)", " ", prompt)


def _words(prompt: str) -> list[str]:
    return re.findall(r"[a-zà-ÿ]+", prompt.lower())
