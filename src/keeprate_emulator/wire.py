"""JSON as clients send it: both spellings of every key, both base64 alphabets, numbers as text.

The vendor's clients mix camelCase and snake_case in one body and use the URL-safe alphabet for pictures
(recorded from google-genai 1.75, 2.34 and 3.4 on loopback, 2026-11).
"""

import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import pybase64

from keeprate_emulator.refusals import Refusal, invalid

JsonObject = Mapping[str, object]

# What the caller put under these keys is theirs: protobuf maps and structs keep their keys as written.
_FOREIGN = frozenset({"labels", "metadata", "args", "responseSchema", "responseJsonSchema", "schema"})
_SNAKE = re.compile(r"_([a-z0-9])")


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON object with its place in the request, so that a wrong value is named as Google names it."""

    members: JsonObject
    path: str = ""

    def __bool__(self) -> bool:
        return bool(self.members)

    def has(self, name: str) -> bool:
        """Return whether the member is there and not null."""
        return self.members.get(name) is not None

    def text(self, name: str) -> str:
        """Return a text member, empty when absent."""
        value = self.members.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(name, "TYPE_STRING")
        return value

    def number(self, name: str) -> int | None:
        """Return a whole number, also when it came as `"7"` or `7.0`; None when absent."""
        value = self.members.get(name)
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise self.wrong(name, "TYPE_INT32")
        return int(value)

    def flag(self, name: str) -> bool:
        """Return a truth value, False when absent."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "TYPE_BOOL")
        return bool(value)

    def child(self, name: str) -> "Node":
        """Return the object under `name`; an empty one when absent."""
        value = self.members.get(name)
        if value is None:
            return Node({}, self._under(name))
        if not isinstance(value, dict):
            raise self.wrong(name, "an object")
        return Node(cast("JsonObject", value), self._under(name))

    def children(self, name: str) -> "tuple[Node, ...]":
        """Return the objects of a list; a single object counts as a list of one."""
        value = self.members.get(name)
        if value is None:
            return ()
        entries = cast("list[object]", value if isinstance(value, list) else [value])
        return tuple(self._entry(name, place, entry) for place, entry in enumerate(entries))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.members.get(name)
        entries = cast("list[object]", value if isinstance(value, list) else [] if value is None else [value])
        if not all(isinstance(entry, str) for entry in entries):
            raise self.wrong(name, "a list of strings")
        return tuple(cast("list[str]", entries))

    def blob(self, name: str) -> bytes:
        """Return base64 content in either alphabet, padded or not."""
        return decoded_base64(self.text(name), at=self._under(name))

    def only(self, known: Iterable[str]) -> None:
        """Refuse members that the API does not know.

        Raises:
            Refusal: 400 with the words that the API uses.
        """
        unknown = sorted(self.members.keys() - frozenset(known))
        if unknown:
            place = f" at '{self.path}'" if self.path else ""
            lines = (f'Unknown name "{name}"{place}: Cannot find field.' for name in unknown)
            raise invalid("Invalid JSON payload received. " + "\n".join(lines))

    def wrong(self, name: str, wanted: str) -> Refusal:
        """Return the 400 for a member of the wrong type or value."""
        shown = json.dumps(self.members.get(name))[:80]
        return invalid(f"Invalid value at '{self._under(name)}' ({wanted}), {shown}")

    def _under(self, name: str) -> str:
        return f"{self.path}.{snake(name)}".lstrip(".")

    def _entry(self, name: str, place: int, entry: object) -> "Node":
        if not isinstance(entry, dict):
            raise self.wrong(name, "a list of objects")
        return Node(cast("JsonObject", entry), f"{self._under(name)}[{place}]")


def request_node(body: bytes) -> Node:
    """Read a request body with its keys in camelCase.

    Raises:
        Refusal: 400 when it is not a JSON object.
    """
    try:
        value: object = msgspec.json.decode(body) if body.strip() else {}
    except msgspec.DecodeError as fault:
        raise invalid(f"Invalid JSON payload received. {fault}") from fault
    if not isinstance(value, dict):
        raise invalid("Invalid JSON payload received. Expected an object.")
    return Node(cast("JsonObject", camel_keys(value)))


def camel_keys(value: Any) -> Any:
    """Return the value with every key of Google's own in camelCase, at every level."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {
            camel(name): member if camel(name) in _FOREIGN else camel_keys(member)
            for name, member in members.items()
        }
    if isinstance(value, list):
        return [camel_keys(entry) for entry in cast("list[Any]", value)]
    return value


def camel(name: str) -> str:
    """Return `mime_type` as `mimeType`."""
    return _SNAKE.sub(lambda match: match.group(1).upper(), name)


def snake(name: str) -> str:
    """Return `mimeType` as `mime_type`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match.group(1).lower(), name)


def decoded_base64(text: str, *, at: str) -> bytes:
    """Decode base64 of either alphabet, with or without padding.

    Raises:
        Refusal: 400 naming the field, as for a newline inside.
    """
    padded = text.rstrip("=")
    padded += "=" * (-len(padded) % 4)
    try:
        return pybase64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise invalid(
            f"Invalid value at '{at}' (TYPE_BYTES), Base64 decoding failed for {text[:40]!r}"
        ) from fault


def encoded(document: object) -> bytes:
    """Return a JSON document as bytes on one line."""
    return msgspec.json.encode(document)


def base64_text(content: bytes) -> str:
    """Return content in the standard alphabet, padded."""
    return pybase64.b64encode_as_string(content)
