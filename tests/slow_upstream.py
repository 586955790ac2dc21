"""An upstream that answers with a large picture as slowly as a test wants: raw sockets, a thread of its own."""

import base64
import json
import random
import socket
import struct
import threading
import zlib
from types import TracebackType
from typing import Self


def large_png(size: int, seed: int = 1) -> bytes:
    """Return a PNG of about `size` bytes whose chunks are in order; its pixels are noise."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 2048, 2048, 8, 2, 0, 0, 0)
    noise = random.Random(seed).randbytes(size)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", noise) + chunk(b"IEND", b"")


def reply_with(picture: bytes) -> bytes:
    """Return a generateContent reply with `picture` and its usage."""
    part = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(picture).decode()}}
    usage = {
        "promptTokenCount": 8,
        "candidatesTokenCount": 1120,
        "totalTokenCount": 1128,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
    }
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}
    return json.dumps(
        {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3-pro-image"}
    ).encode()


class SlowUpstream:
    """Sends half of its reply, waits for `gate`, and sends the rest: all of it, or `missing` bytes less."""

    def __init__(self, reply: bytes, *, missing: int = 0) -> None:
        self.gate = threading.Event()
        self.half_sent = threading.Event()
        self.accepted = 0
        self._reply = reply
        self._missing = missing
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gate.set()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            self.accepted += 1
            length = b"Content-Length: %d\r\n" % len(self._reply)
            try:
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + length + b"\r\n"
                )
                half = len(self._reply) // 2
                connection.sendall(self._reply[:half])
                self.half_sent.set()
                self.gate.wait(60)
                connection.sendall(self._reply[half : len(self._reply) - self._missing])
            except OSError:
                return
