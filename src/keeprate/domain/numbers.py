"""Whole numbers that callers hand in: refused by name where they are none, or out of range."""

from typing import Final

from keeprate.domain.errors import InvalidValue

LARGEST: Final = 2**63 - 1


def whole(value: object, *, field: str, least: int = 0, most: int = LARGEST) -> int:
    """Return `value`, a whole number from `least` to `most`, both included.

    Raises:
        InvalidValue: It is no whole number (a truth value is none either), or lies outside.
    """
    span = f"{least} or more" if most == LARGEST else f"from {least} to {most}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(
            f"{field} {value!r} is not a whole number",
            field=field,
            value=value,
            remedy=f"give a whole number, {span}",
        )
    if not least <= value <= most:
        raise InvalidValue(
            f"{field} {value} is out of range",
            field=field,
            value=value,
            remedy=f"give a whole number, {span}",
        )
    return value
