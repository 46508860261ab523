"""The states of a command, as every side names them, and its id, which whoever takes it on gives it."""

from __future__ import annotations

import secrets
import string
from enum import StrEnum


class State(StrEnum):
    """Where a command stands."""

    QUEUED = "queued"  # accepted and on disk; no byte has left
    SENT = "sent"  # handed to the device; it may be acting
    SUCCEEDED = "succeeded"  # the device, or a person, says it happened
    FAILED = "failed"  # the device, or a person, says it did not
    IN_DOUBT = "in_doubt"  # nobody can know; a person decides
    EXPIRED = "expired"  # its time ran out before it was sent
    CANCELLED = "cancelled"  # taken back before it was sent
    SUPERSEDED = "superseded"  # a newer one for the same screen came before it was sent


OPEN = frozenset({State.QUEUED, State.SENT})
ENDED = frozenset(State) - OPEN - {State.IN_DOUBT}

_BASE36 = string.digits + string.ascii_lowercase
_RANDOM_DIGITS = 9
_RANDOM_BITS = 64  # reduced to 36^9, about 2^46.5: the bias is below one in 100,000


def new_id(at_us: int) -> str:
    """`cmd_<milliseconds>_<9 base-36 digits>`: the form older clients know, sorted by time, unguessable enough."""
    rest, digits = secrets.randbits(_RANDOM_BITS), ""
    for _ in range(_RANDOM_DIGITS):
        rest, digit = divmod(rest, len(_BASE36))
        digits += _BASE36[digit]
    return f"cmd_{at_us // 1000}_{digits}"
