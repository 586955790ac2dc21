"""Going when the program that started this one has gone."""

import os
import threading
from collections.abc import Callable

_LOOK_EVERY_S = 0.5


def when_parent_is_gone(parent: int, leave: Callable[[], None]) -> None:
    """Call `leave` from another thread once the process `parent` is the parent no longer, however it ended.

    With 0 the parent is whoever it is now; a starter that may die within our start-up should name itself.
    """
    parent = parent or os.getppid()
    done = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            done.wait(_LOOK_EVERY_S)
        leave()

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
