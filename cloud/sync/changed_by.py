"""Who a fact says changed something at a hub, so that what people did there can be found among all that happens.

What the centre itself asked a hub to do is left out: it was noted when it was asked (`cloud/accounts/audit.py`).
So is what customers come for, a code on a display and a vend: those are lists of their own, each with who asked.
"""

from __future__ import annotations

import msgspec

from edge.wire.kinds import APP_KINDS

ACTOR_CHARS = 200
SOMEBODY = ("key:", "login:", "user:")  # how the names of those begin who are people, or machines with a key
SIGNED_UP = "sign-up"  # by himself, when he had no name yet
NAMED_ACTOR = frozenset({"command.queued", "site.enrolled", "site.left"})
"""Kinds of facts that say who it was as `actor`; others say it as `by`."""


class _Body(msgspec.Struct):
    by: str = ""
    actor: str = ""
    kind: str = ""


_decoder = msgspec.json.Decoder(_Body)


def actor_of(kind: str, body: str) -> str:
    """Who changed something, '' where it is not a change of somebody's. Whatever a hub sends is no error."""
    if '"by"' not in body and kind not in NAMED_ACTOR:  # nearly all of them
        return ""
    try:
        told = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    if kind == "command.queued" and told.kind in APP_KINDS:
        return ""
    actor = told.actor if kind in NAMED_ACTOR else told.by
    return actor[:ACTOR_CHARS] if actor.startswith(SOMEBODY) or actor == SIGNED_UP else ""
