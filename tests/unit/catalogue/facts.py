"""Small books made from a few lines of TOML."""

from datetime import date

from keeprate.catalogue.book import Book
from keeprate.catalogue.overlay import overlay_in
from keeprate.catalogue.parse import statements_in
from keeprate.domain.routes import ModelId, Surface

SHOP = Surface("shop")
PAINTER = ModelId("painter-1")
DAY = date(2026, 6, 1)

ORIGIN = 'source = "https://example.org/list"\nvalid_from = 2026-01-01\nseen_on = 2026-05-01\nconfidence = "high"\n'

MODEL = f"""
[[model]]
id = "painter-1"
market_name = "Painter One"
family = "paint"
line = "painter"
surfaces = ["shop"]
{ORIGIN}
"""

CAPABILITY = f"""
[[capability]]
sizes = ["1K"]
sends_size = true
ratios = ["1:1"]
max_references = 2
thinking_levels = ["none"]
images_per_call = 1
accepts_video = false
accepts_grounding = false
accepts_system = false
accepts_seed = false
accepts_conversation = false
signs_thoughts = false
synthid = false
output_mimes = ["image/png"]
timeout_s = {{ 1K = 180 }}
{ORIGIN}
"""

PRICE = f"""
[[price]]
input_per_million = "1.00"
text_output_per_million = "2.00"
image_output_per_million = "10.00"
image_tokens = {{ 1K = 1000 }}
{ORIGIN}
"""

PAINTER_FACTS = MODEL + CAPABILITY + PRICE


def row(table: str, cells: str, **changes: str) -> str:
    """One row with its origin; `changes` replace a date or another cell of it."""
    origin = {
        "source": '"https://example.org/other"',
        "valid_from": "2026-02-01",
        "seen_on": "2026-05-01",
        "confidence": '"high"',
        **changes,
    }
    lines = "\n".join(f"{name} = {value}" for name, value in origin.items())
    return f"\n[[{table}]]\n{cells}\n{lines}\n"


def book_from(*texts: str, owner: str | None = None) -> Book:
    """A book of the given facts, with the owner's rows over them."""
    official = statements_in("facts.toml", "\n".join(texts))
    return Book(official if owner is None else official.plus(overlay_in({"keeprate.toml": owner})))
