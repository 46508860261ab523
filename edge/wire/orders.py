"""What the hub hands to a link for a device, and what it learns back.

An `Order` is one attempt at one command, already rendered for the device's panel; an `Outcome` is all that can
honestly be said afterwards. Links carry orders without knowing what they mean.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What is known after an attempt."""

    DONE = "done"  # the device says it did it
    FAILED = "failed"  # the device says it did not
    NOT_SENT = "not_sent"  # certainly no byte reached the device
    UNKNOWN = "unknown"  # bytes left, and no word came back; asking again may tell
    IN_DOUBT = "in_doubt"  # the device itself cannot know: power went between its claim and its result


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one command.

    `seq` is the command's number on this device (64 bit, rising); `ttl_ms` is what remains of its time to live
    at the moment of sending; `args` is small JSON; `blob` is the rendered picture, if the kind has one.
    """

    id: str
    seq: int
    kind: str
    ttl_ms: int
    args: dict[str, str | int | float | bool | None] = {}
    blob: bytes = b""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt came to; `reason` is a sentence for a person, empty when done."""

    verdict: Verdict
    reason: str = ""
    duration_s: float = 0.0
    repeated: bool = False  # the device answered from its memory: it had already done it
    evidence: str = ""  # what the device knows it by: `sensor`, or '' for its word alone
