"""Named places where a test may kill the process or fail the disk.

A place is a call, `failpoint("spool.complete.synced")`: it does nothing unless it was armed. Arming is
text, `name:action[:hit]`, several parted by commas:

    spool.complete.synced:kill            die as by kill -9 at the first passing
    paths.write.half:enospc:3             raise OSError(ENOSPC) at the third passing, and only there
    ledger.writer.before_commit:eio:*     raise OSError(EIO) at each passing
    workflows.pay.after_send:sleep=0.5    hold the thread for half a second
    *:trace=/tmp/passed                   append each name passed to a file, to see which are reached

`settings` reads KEEPRATE_FAILPOINT once and `bootstrap` hands it to `arm`; nothing else arms them.
"""

import errno
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keeprate.domain.errors import ConfigError

# A name is registered here before it is used; a test holds the two together.
FAILPOINTS: Final[frozenset[str]] = frozenset(
    {
        # assets
        "assets.put.before",
        "assets.put.after",
        "assets.keep.before",
        "assets.keep.after_image",
        "assets.keep.after_sidecar",
        "assets.sweep.before_remove",
        # ledger
        "ledger.adopt.before_commit",
        "ledger.adopt.after_commit",
        "ledger.budget.before_commit",
        "ledger.budget.after_commit",
        "ledger.free.before_commit",
        "ledger.free.after_commit",
        "ledger.intend.before_commit",
        "ledger.intend.after_commit",
        "ledger.judge.before_commit",
        "ledger.judge.after_commit",
        "ledger.mark_unknown.before_commit",
        "ledger.mark_unknown.after_commit",
        "ledger.owner.after_lock",
        "ledger.reconcile.before_commit",
        "ledger.reconcile.after_commit",
        "ledger.sent.before_commit",
        "ledger.sent.after_commit",
        "ledger.settle.before_commit",
        "ledger.settle.after_commit",
        "ledger.writer.before_commit",
        "ledger.writer.after_commit",
        # the one path writer
        "paths.write.opened",
        "paths.write.half",
        "paths.write.written",
        "paths.write.synced",
        "paths.write.linked",
        "paths.write.done",
        # providers
        "providers.send.before_connect",
        "providers.send.after_headers",
        "providers.send.after_chunk",
        "providers.send.after_last_chunk",
        # replies on their way to settlement
        "spool.begin.before",
        "spool.begin.opened",
        "spool.write.chunk",
        "spool.complete.before",
        "spool.complete.synced",
        "spool.complete.described",
        "spool.complete.renamed",
        "spool.complete.done",
        "spool.abandon.before",
        "spool.discard.before",
        "spool.discard.emptied",
        # workflows
        "workflows.pay.before_intend",
        "workflows.pay.after_intend",
        "workflows.pay.after_sent",
        "workflows.pay.after_send",
        "workflows.pay.after_understand",
        "workflows.pay.after_store",
        "workflows.pay.after_settle",
        "workflows.pay.after_discard",
        "workflows.recover.before",
        "workflows.recover.after_free",
        "workflows.recover.after_late",
        "workflows.recover.after_settle",
    }
)

EVERY: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Armed:
    """What happens at `name` (`EVERY` means all of them) at its passing number `hit` (None: each)."""

    name: str
    hit: int | None
    act: Callable[[str], None]


class _Arms:
    """What is armed in this process, and how often each place was passed."""

    def __init__(self) -> None:
        self.armed: tuple[_Armed, ...] = ()
        self._passed: dict[str, int] = {}
        self._lock = threading.Lock()

    def set(self, armed: tuple[_Armed, ...]) -> None:
        with self._lock:
            self.armed = armed
            self._passed = {}

    def passing(self, name: str) -> None:
        with self._lock:
            number = self._passed.get(name, 0) + 1
            self._passed[name] = number
        for one in self.armed:
            if one.name in {name, EVERY} and one.hit in {None, number}:
                one.act(name)


_ARMS: Final = _Arms()


def failpoint(name: str) -> None:
    """Do nothing, unless `name` is armed.

    Raises:
        OSError: Armed with `enospc` or `eio`.
    """
    if _ARMS.armed:
        _ARMS.passing(name)


def arm(text: str) -> None:
    """Arm what `text` says and forget what was armed; an empty text disarms.

    Raises:
        ConfigError: An unknown name or action.
    """
    _ARMS.set(tuple(_parsed(part.strip()) for part in text.split(",") if part.strip()))


def _parsed(part: str) -> _Armed:
    name, _, rest = part.partition(":")
    action, _, hit = rest.partition(":")
    if name != EVERY and name not in FAILPOINTS:
        raise _bad(part, f"no failpoint is called {name!r}")
    act = _action(action)
    if act is None:
        raise _bad(part, f"no action is called {action!r}")
    # A trace wants every passing; anything else happens once unless asked otherwise.
    default = EVERY if action.startswith("trace=") else "1"
    hit = hit or default
    if hit != EVERY and not hit.isdecimal():
        raise _bad(part, f"{hit!r} is no count of passings")
    return _Armed(name=name, hit=None if hit == EVERY else int(hit), act=act)


def _action(text: str) -> Callable[[str], None] | None:
    word, _, argument = text.partition("=")
    match word:
        case "kill":
            return _kill
        case "enospc":
            return lambda name: _fail(errno.ENOSPC, name)
        case "eio":
            return lambda name: _fail(errno.EIO, name)
        case "sleep" if argument.replace(".", "", 1).isdecimal():
            return lambda _name: time.sleep(float(argument))
        case "trace" if argument:
            return lambda name: _trace(Path(argument), name)
        case _:
            return None


def _kill(_name: str) -> None:
    # Windows knows no SIGKILL; there SIGTERM ends the process as abruptly.
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _fail(number: int, name: str) -> None:
    raise OSError(number, os.strerror(number), f"<failpoint {name}>")


def _trace(path: Path, name: str) -> None:
    with path.open("a", encoding="utf-8") as passed:
        passed.write(f"{name}\n")


def _bad(part: str, why: str) -> ConfigError:
    return ConfigError(
        f"KEEPRATE_FAILPOINT: {why}",
        field="KEEPRATE_FAILPOINT",
        value=part,
        remedy="write name:kill, name:enospc, name:eio, name:sleep=SECONDS or *:trace=FILE, "
        "with :NUMBER behind it for a later passing",
    )
