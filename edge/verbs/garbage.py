"""When a process that stays looks for objects that hold each other: not while it loads, nor at what it loaded.

Each such look takes a tenth of a second by then, at every start and again and again while others wait.
"""

from __future__ import annotations

import gc

NEW = 20_000  # objects after which the next look is due: a page of a thousand sites takes one look, not twenty


def wait() -> None:
    """Look for none yet: what is loaded now stays."""
    gc.disable()


def keep_what_is_there() -> None:
    """All there is by now is never looked at again; what comes is, from now on."""
    gc.freeze()
    gc.set_threshold(NEW)
    gc.enable()


def let_go() -> None:
    """At the end: some libraries complain when what is theirs is still there."""
    gc.unfreeze()
