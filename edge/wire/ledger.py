"""The ledger's row and its hash chain, the same at the hub that writes it and the centre that checks it.

`hash = blake2b-128(previous hash || msgpack([seq, kind, subject, at_us, quality, boot_id, mono_ms, body]))`, with
16 zero bytes before the first row of an epoch. The chain proves completeness, not authorship.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

GENESIS = bytes(16)
_encode = msgspec.msgpack.Encoder().encode


class Fact(msgspec.Struct, frozen=True):
    """One row: `body` is JSON text that holds no customer's name, no amount and no picture, only their hashes."""

    seq: int
    kind: str
    subject: str
    at_us: int
    quality: str
    boot_id: str
    mono_ms: int
    body: str
    hash: bytes


def chain(previous: bytes, row: tuple[int, str, str, int, str, str, int, str]) -> bytes:
    """The 16-byte hash of `row` (a Fact's fields without its hash) that follows `previous`."""
    return blake2b(previous + _encode(row), digest_size=16).digest()


def follows(previous: bytes, fact: Fact) -> bool:
    """Whether `fact` is the row that was written after the one with hash `previous`."""
    return fact.hash == chain(previous, msgspec.structs.astuple(fact)[:-1])
