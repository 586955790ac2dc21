"""The one door to image decoding: hands bytes to a child with limits, and outlives what kills it.

A child is kept warm between jobs (starting one costs a tenth of a second) and replaced when it dies.
All calls block: from a coroutine, go through `asyncio.to_thread`.
"""

import json
import queue
import subprocess
import sys
import threading
import weakref
from dataclasses import asdict, replace
from typing import Final

from keeprate.domain.errors import StorageError, UnreadableReference
from keeprate.safety.containers import Malformed
from keeprate.safety.decode_jobs import Done, Job
from keeprate.safety.images import ImageHeader, ImageKind, read_header
from keeprate.safety.privacy import UPRIGHT, orientation, without_personal

LONGEST_S: Final = 30.0


class ImageDecoder:
    """Checks, cleans and shrinks images in child processes."""

    def __init__(self, *, children: int = 1, longest_s: float = LONGEST_S) -> None:
        """Use up to `children` processes at once, each started when it is first needed."""
        self._longest_s = longest_s
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children):
            self._idle.put(None)
        self._all: set[_Child] = set()
        self._end = weakref.finalize(self, _end_all, self._all)

    def check(self, content: bytes, *, field: str) -> ImageHeader:
        """Return what `content` is, once all of it has been decoded.

        Raises:
            UnreadableReference: It is no image that can be read, or is built to do harm.
        """
        header = read_header(content, field=field)
        self._ask(_job("check", header, content), content, field=field)
        return header

    def cleaned(self, content: bytes, *, field: str) -> bytes:
        """Return the picture as it may leave this machine: upright, its pixels and colours only.

        Pixels are encoded anew only where the picture had to be turned.

        Raises:
            UnreadableReference: As `check`.
        """
        header = read_header(content, field=field)
        try:
            turned = orientation(content, header.kind)
            bare = without_personal(content, header.kind)
        except Malformed as error:
            raise _unreadable(field, str(error)) from error
        if turned == UPRIGHT:
            self._ask(_job("check", header, bare), bare, field=field)
            return bare
        return self._ask(_job("upright", header, bare, orientation=turned), bare, field=field)

    def as_png(self, content: bytes, *, field: str) -> bytes:
        """Return the same pixels and colour profile as a PNG, without loss.

        Raises:
            UnreadableReference: As `check`.
        """
        header = read_header(content, field=field)
        return self._ask(_job("png", header, content), content, field=field)

    def encoded(self, content: bytes, kind: ImageKind, *, quality: int, field: str) -> bytes:
        """Return the same picture in another format; `quality`, 1 to 100, is for JPEG and WebP.

        Raises:
            UnreadableReference: As `check`.
        """
        header = read_header(content, field=field)
        job = replace(_job("encode", header, content), into=kind.name, quality=quality)
        return self._ask(job, content, field=field)

    def thumbnail(self, content: bytes, *, edge: int, field: str) -> bytes:
        """Return a WebP whose longest edge has `edge` pixels at most.

        Raises:
            UnreadableReference: As `check`.
        """
        header = read_header(content, field=field)
        return self._ask(_job("thumbnail", header, content, edge=edge), content, field=field)

    def close(self) -> None:
        """End the children."""
        self._end()

    def _started(self) -> "_Child":
        try:
            child = _Child()
        except OSError as error:
            raise StorageError(
                f"the image decoder cannot be started: {error.strerror}",
                remedy="free memory or processes on this machine, then run the command again",
            ) from error
        self._all.add(child)
        return child

    def _drop(self, child: "_Child") -> None:
        self._all.discard(child)
        child.end()

    def _ask(self, job: Job, content: bytes, *, field: str) -> bytes:
        child = self._idle.get()
        try:
            if child is not None and not child.is_alive():
                self._drop(child)
                child = None
            child = child or self._started()
            done, result = child.ask(job, content, longest_s=self._longest_s)
        except (OSError, EOFError) as error:
            if child is not None:
                self._drop(child)
                child = None
            raise _unreadable(field, "decoding it took too much time or memory") from error
        finally:
            self._idle.put(child)
        if done.fault is not None:
            raise _unreadable(field, done.fault)
        return result


class _Child:
    """One decoding process."""

    def __init__(self) -> None:
        # Isolated from the user's Python settings and environment; it needs no key and no path.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "keeprate.safety.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,  # Ctrl-C is the parent's to handle; the pipe's end tells the child
        )

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, job: Job, content: bytes, *, longest_s: float) -> tuple[Done, bytes]:
        """Return the answer and its payload.

        Raises:
            EOFError: The child died, by its limits or by ours.
            OSError: The pipe broke.
        """
        jobs, answers = self._process.stdin, self._process.stdout
        if jobs is None or answers is None:
            raise EOFError
        watch = threading.Timer(longest_s, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            jobs.write(json.dumps(asdict(job)).encode() + b"\n")
            jobs.write(content)
            jobs.flush()
            line = answers.readline()
            if not line:
                raise EOFError
            done = Done(**json.loads(line))
            result = answers.read(done.bytes_count)
        finally:
            watch.cancel()
        if len(result) != done.bytes_count:
            raise EOFError
        return done, result

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # bytes it never read go with it
        self._process.wait()


def _end_all(children: set[_Child]) -> None:
    while children:
        children.pop().end()


def _job(task: str, header: ImageHeader, content: bytes, *, orientation: int = UPRIGHT, edge: int = 0) -> Job:
    return Job(
        task=task,
        format=header.kind.name,
        width=header.width,
        height=header.height,
        bytes_count=len(content),
        orientation=orientation,
        edge=edge,
    )


def _unreadable(field: str, why: str) -> UnreadableReference:
    return UnreadableReference(
        f"{field} cannot be read as an image: {why}",
        field=field,
        remedy="hand in a still PNG, JPEG or WebP that other programs can open",
    )
