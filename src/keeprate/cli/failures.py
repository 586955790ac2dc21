"""Failures as the shell sees them: one sentence, the field, the remedy, and a stable exit code.

0 done, 1 this machine failed (disk, database), 2 usage, 3 partial (or `doctor` found a problem), 4 budget, 5 upstream,
6 no image came (blocked, empty, text only), 7 outcome unknown, 130 interrupted.
"""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from keeprate.domain.errors import KeeprateError, StorageError
from keeprate.domain.outcomes import OutcomeKind

OK: Final = 0
PARTIAL: Final = 3
INTERRUPTED: Final = 130
_CONTROLS: Final = (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SPELT_OUT: Final = {sign: repr(chr(sign))[1:-1] for sign in _CONTROLS if chr(sign) not in "\n\t"}

OUTCOME_CODES: Final = {
    OutcomeKind.IMAGE: OK,
    OutcomeKind.TEXT_ONLY: 6,
    OutcomeKind.BLOCKED: 6,
    OutcomeKind.EMPTY: 6,
    OutcomeKind.FAILED: 5,
    OutcomeKind.UNKNOWN: 7,
}


def tell(error: KeeprateError, *, as_json: bool) -> int:
    """Print the error, as a document on standard output or as lines on standard error."""
    if as_json and sys.stdout is not None:
        try:
            _document({"error": _facts(error)})
        except StorageError as full:
            return tell(full, as_json=False)
    else:
        sys.stderr.write("\n".join(_lines(error)) + "\n")
    return error.exit_code


def put(text: str) -> None:
    """Write to standard output, through to where it goes.

    Raises:
        StorageError: It takes no more: a full disk.
        BrokenPipeError: Nobody reads it any more.
    """
    with writing():
        if sys.stdout is not None:
            sys.stdout.write(text)
            sys.stdout.flush()


@contextmanager
def writing() -> Generator[None]:
    """Turn what standard output refuses into an error in words, as `put` does."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as fault:
        # What it still holds would be written, and fail, once more when Python ends.
        sys.stdout = None
        raise StorageError(
            f"standard output cannot be written: {fault.strerror}",
            field="stdout",
            remedy="send it where there is room",
        ) from fault


def tell_interrupted(*, as_json: bool, may_be_paid: bool) -> int:
    """Print that the person stopped it, and return the shell's code for that."""
    remedy = "keeprate attempts --unknown" if may_be_paid else None
    if as_json:
        _document(
            {
                "error": {
                    "code": "interrupted",
                    "message": "interrupted",
                    "field": None,
                    "value": None,
                    "remedy": remedy,
                }
            }
        )
    else:
        said = f"\n  what may have been paid: {remedy}" if may_be_paid else "; no call was under way"
        sys.stderr.write(f"interrupted{said}\n")
    return INTERRUPTED


def _document(document: dict[str, object]) -> None:
    text = json.dumps(document, ensure_ascii=not speaks_unicode(), indent=2, default=str)
    put(text + "\n")


def speaks_unicode() -> bool:
    """Return whether standard output takes every character, or JSON must escape the foreign ones."""
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")


def _facts(error: KeeprateError) -> dict[str, object]:
    facts: dict[str, object] = {
        "code": error.code,
        "message": error.message,
        "field": error.field,
        "value": error.value,
        "remedy": error.remedy,
    }
    if error.facts:
        facts["facts"] = dict(error.facts)
    return facts


def clean(text: str) -> str:
    """Return `text` with control characters spelt out: words of an upstream must not steer a terminal."""
    return text.translate(_SPELT_OUT)


def _lines(error: KeeprateError) -> list[str]:
    said = [f"error: {clean(error.message)}"]
    if error.field is not None:
        value = "" if error.value is None else f" = {_short(error.value)}"
        said.append(f"  field: {error.field}{value}")
    if error.remedy:
        said.append(f"  try: {clean(error.remedy)}")
    return said


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
