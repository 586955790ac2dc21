"""Going when the program that started this one has gone."""

import os
import threading
from collections.abc import Callable

_LOOK_EVERY_S = 0.5


def when_parent_is_gone(leave: Callable[[], None]) -> None:
    """Call `leave` from another thread once the parent process has died, however it died."""
    parent = os.getppid()
    done = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            done.wait(_LOOK_EVERY_S)
        leave()

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
