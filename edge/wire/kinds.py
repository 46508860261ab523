"""The kinds of command, as hub and centre both know them: what holds for every command of one kind.

The hub has the last word on each; the centre needs them to say no early, to know how long an undelivered command is
worth keeping, and what of it may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Kind(msgspec.Struct, frozen=True):
    """What holds for every command of one kind.

    `repeatable`: doing it twice does no harm. `supersedes`: kinds whose undelivered commands for the same device
    this one replaces. `private`: arguments that are never shown, logged or kept after the end. `fits`: the kinds of
    device that take it, empty for all. `acts`: it does what cannot be undone, so nobody unproved may be told to.
    """

    name: str
    ttl_s: float
    repeatable: bool
    supersedes: frozenset[str] = frozenset()
    private: frozenset[str] = frozenset()
    fits: frozenset[str] = frozenset()
    acts: bool = False


DISPLAY, VENDING = frozenset({"display"}), frozenset({"vending"})

KINDS = {
    kind.name: kind
    for kind in (
        # a customer waits a minute at most; an older code for the same screen is the wrong one by now
        Kind(
            "display_qr",
            ttl_s=60.0,
            repeatable=True,
            supersedes=frozenset({"display_qr", "start_rotation"}),
            private=frozenset({"payload", "caption", "amount", "reference"}),
            fits=DISPLAY,
        ),
        # the desk is done with its code: one still waiting must not come up afterwards
        Kind(
            "start_rotation",
            ttl_s=60.0,
            repeatable=True,
            supersedes=frozenset({"display_qr", "start_rotation"}),
            fits=DISPLAY,
        ),
        Kind("stop_rotation", ttl_s=60.0, repeatable=True, fits=DISPLAY),
        Kind("store_picture", ttl_s=3600.0, repeatable=True, private=frozenset({"blob"}), fits=DISPLAY),
        Kind("erase_picture", ttl_s=3600.0, repeatable=True, fits=DISPLAY),
        # a motor turns and goods fall: never twice, never late, never on a stranger's word
        Kind("vend", ttl_s=60.0, repeatable=False, fits=VENDING, acts=True),
        Kind("machine_status", ttl_s=30.0, repeatable=True, supersedes=frozenset({"machine_status"}), fits=VENDING),
        Kind("reboot", ttl_s=60.0, repeatable=False, acts=True),
    )
}

APP_KINDS = frozenset({"display_qr", "start_rotation", "stop_rotation", "vend"})  # what customers come for
KEY_CHARS = 128  # of an idempotency key
NOTE_CHARS = 500  # of what a person writes about a command


def public(kind: Kind, args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that may be shown."""
    return {name: value for name, value in args.items() if name not in kind.private}
