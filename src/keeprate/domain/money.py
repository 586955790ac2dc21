"""Money as whole nano-dollars: sums stay exact in Python, in SQLite and in PostgreSQL.

$0.50 per million tokens is 500 nano-dollars a token; $0.0195 an image is 19,500,000.
A signed 64-bit column holds nine billion dollars.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NewType

from keeprate.domain.errors import InvalidValue

NanoUSD = NewType("NanoUSD", int)

NANO_PER_USD: Final = 1_000_000_000
ZERO: Final = NanoUSD(0)
LARGEST: Final = NanoUSD(2**63 - 1)

_PLAIN_DECIMAL = re.compile(r"\d{1,10}(\.\d{1,9})?\Z", re.ASCII)


def usd(text: str, *, field: str = "usd") -> NanoUSD:
    """Return the exact amount written as a plain decimal such as "0.134".

    Raises:
        InvalidValue: Not a plain, non-negative decimal with at most nine decimal places.
    """
    if _PLAIN_DECIMAL.match(text) is None:
        raise InvalidValue(
            f"{field} {text!r} is not an amount in US dollars",
            field=field,
            value=text,
            remedy="write a plain amount such as 0.134, with at most nine decimal places",
        )
    return NanoUSD(int(Decimal(text) * NANO_PER_USD))


def per_million(text: str, *, field: str = "usd_per_million") -> NanoUSD:
    """Return the nano-dollars one token costs, from dollars per million tokens ("0.50" is 500).

    Raises:
        InvalidValue: The rate is not a whole number of nano-dollars a token.
    """
    per_token, rest = divmod(usd(text, field=field), 1_000_000)
    if rest:
        raise InvalidValue(
            f"{field} {text!r} is not a whole number of nano-dollars a token",
            field=field,
            value=text,
            remedy="give dollars per million tokens with at most three decimal places",
        )
    return NanoUSD(per_token)


def display(amount: NanoUSD, *, places: int | None = None) -> str:
    """Return dollars for people and JSON: exact and trimmed, or rounded half up to `places`."""
    exact = Decimal(amount) / NANO_PER_USD
    if places is not None:
        return f"{exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"
    text = f"{exact:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scaled(amount: NanoUSD, *, numerator: int, denominator: int) -> NanoUSD:
    """Return `amount` × numerator ÷ denominator, rounded up so that a hold never falls short."""
    return NanoUSD(-((-amount * numerator) // denominator))
