"""The states of a command, as every side names them."""

from __future__ import annotations

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
