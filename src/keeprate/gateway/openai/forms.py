"""Multipart bodies, read as they come: fields of text, and files whatever type their sender claims."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from keeprate.domain.errors import InvalidValue
from keeprate.gateway.exchange import Request

MOST_PARTS: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a form. `is_file` tells that its sender named a file."""

    name: str
    content: bytes
    is_file: bool

    def text(self) -> str:
        """Return the content as text.

        Raises:
            InvalidValue: It is none.
        """
        try:
            return self.content.decode()
        except UnicodeDecodeError as fault:
            raise InvalidValue(
                f"{self.name} is no text in UTF-8", field=self.name, remedy="send text in UTF-8"
            ) from fault


def form_sha256(parts: Sequence[Part]) -> str:
    """Return the hash of a form: its parts by name, whatever boundary and file names came with them."""
    told = [(part.name, hashlib.sha256(part.content).hexdigest()) for part in parts]
    told.sort(key=lambda one: one[0])
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


async def form_of(request: Request) -> tuple[Part, ...]:
    """Return the parts of a multipart body in their order.

    Raises:
        InvalidValue: The body is no form, or is broken.
        TooLarge: It passes the door's limit.
        ClientLeft: It ended early.
    """
    kind, options = parse_options_header(request.headers.get("content-type") or "")
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise InvalidValue(
            "this call takes multipart/form-data",
            field="content-type",
            value=request.headers.get("content-type"),
            remedy="send the images as files of a form",
        )
    reader = _Reader()
    try:
        parser = reader.parser(boundary)
        async for piece in request.chunks():
            parser.write(piece)
        parser.finalize()
    except FormParserError as fault:
        raise _broken(str(fault)) from fault
    if not reader.is_whole:
        raise _broken("it ends before its last boundary")
    return tuple(reader.parts)


class _Reader:
    """Gathers parts from the parser's calls."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.is_whole = False
        self._headers: dict[str, str] = {}
        self._name = bytearray()
        self._value = bytearray()
        self._content = bytearray()

    def parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_ends,
                "on_part_data": self._data,
                "on_part_end": self._part_ends,
                "on_end": self._ends,
            },
        )

    def _part_begins(self) -> None:
        if len(self.parts) >= MOST_PARTS:
            raise FormParserError(f"it has more than {MOST_PARTS} parts")
        self._headers = {}
        self._content = bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name, self._value = bytearray(), bytearray()

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content += memoryview(data)[start:end]

    def _part_ends(self) -> None:
        _kind, options = parse_options_header(self._headers.get("content-disposition", ""))
        name = options.get(b"name")
        if name is None:
            raise FormParserError("a part has no name")
        part = Part(
            name=name.decode("utf-8", "replace"),
            content=bytes(self._content),
            is_file=b"filename" in options,
        )
        self.parts.append(part)

    def _ends(self) -> None:
        self.is_whole = True


def _broken(why: str) -> InvalidValue:
    return InvalidValue(f"the form cannot be read: {why}", field="body", remedy="send it whole")
