"""Finds the images in a reply while it comes, and decodes them slice by slice.

A reply is JSON (or events of JSON) in which nearly every byte belongs to the base64 of an image. The
text between the images is kept as it is; the images are decoded in place. Only what is certain to be
an image is taken out: a member `data` or `bytesBase64Encoded` whose text starts as a PNG, JPEG or WebP
does. A quote inside a JSON string is escaped, so the pattern cannot stand in anybody's words.
"""

import binascii
import re
from typing import Final, Protocol

import pybase64

# The first bytes of PNG, JPEG and WebP in base64; a JPEG's differ between the two alphabets.
_SPAN: Final = re.compile(
    rb'"(?:data|bytesBase64Encoded)"[ \t\r\n]{0,16}:[ \t\r\n]{0,16}"(?=iVBORw0KGg|/9j/|_9j_|UklGR)'
)
# Longer than any beginning of a span that a slice may end with.
_CARRIED: Final = 96
_QUOTE: Final = ord('"')


class Sink(Protocol):
    """Takes the parts of a reply in order."""

    def text(self, data: bytes | memoryview) -> None:
        """Take text that stands between images."""
        ...

    def open_image(self) -> None:
        """Start an image."""
        ...

    def image(self, contents: list[bytes]) -> None:
        """Take the next decoded bytes of the image."""
        ...

    def close_image(self) -> None:
        """End the image; it is whole."""
        ...

    def spoil_image(self) -> None:
        """Take back the image under way as text: what follows is no base64 that can be told again."""
        ...


class Splitter:
    """Parts a reply. Feed it every slice in order, then `finish`."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._carry = b""
        self._pending = b""
        self._inside = False
        self._padded = False

    def feed(self, data: bytes) -> None:
        """Take the next slice."""
        if self._inside:
            self._span(data, 0)
        else:
            self._text(self._carry + data if self._carry else data)

    def finish(self) -> None:
        """Give out what was held back. An image that did not end becomes text again."""
        if self._inside:
            self._spoil()
        if self._carry:
            self._sink.text(self._carry)
            self._carry = b""

    def _text(self, data: bytes) -> None:
        found = _SPAN.search(data)
        if found is None:
            # Only the end of a slice can be the beginning of a span.
            cut = max(0, len(data) - _CARRIED)
            if cut:
                self._sink.text(memoryview(data)[:cut])
            self._carry = data[cut:]
            return
        self._carry = b""
        self._sink.text(memoryview(data)[: found.end()])
        self._sink.open_image()
        self._inside, self._padded = True, False
        self._span(data, found.end())

    def _span(self, data: bytes, start: int) -> None:
        end = data.find(b'"', start)
        chunk = memoryview(data)[start : len(data) if end < 0 else end]
        try:
            contents = self._decoded(chunk, at_end=end >= 0)
        except (binascii.Error, ValueError):
            self._spoil()
            self._sink.text(chunk)
        else:
            if contents:
                self._sink.image(contents)
            if end >= 0:
                self._sink.close_image()
        if end >= 0:
            self._inside = False
            self._text(data[end:])

    def _decoded(self, chunk: memoryview, *, at_end: bool) -> list[bytes]:
        """Return the bytes of whole groups of four; the rest waits for the next slice.

        Raises:
            binascii.Error: No base64 that can be told again. Nothing has changed then.
        """
        pending = self._pending
        if at_end and (len(pending) + len(chunk)) & 3:
            raise binascii.Error("base64 without its padding")
        head = bytes(chunk[: 4 - len(pending)]) if pending else b""
        groups = [memoryview(pending + head)] if pending else []
        rest = chunk[len(head) :]
        whole = len(rest) & ~3
        groups.append(rest[:whole])
        if pending and len(groups[0]) < 4:
            self._pending = bytes(groups[0])
            return []
        padded, contents = self._padded, list[bytes]()
        for group in groups:
            if padded and group:
                raise binascii.Error("base64 that goes on after its padding")
            content = pybase64.b64decode(group, validate=True)
            padded = padded or len(content) * 4 != len(group) * 3
            contents.append(content)
        self._padded, self._pending = padded, bytes(rest[whole:])
        return contents

    def _spoil(self) -> None:
        self._inside = False
        self._sink.spoil_image()
        if self._pending:
            self._sink.text(self._pending)
            self._pending = b""
