"""Readings over the cable: out of the buffer in batches, one at a time, each until the hub says it is on disk."""

import json

from outpost.buffer import Buffer
from outpost.identity import Identity
from outpost.log import Log

RECORDS_MAX = 16  # in one batch; with the next number, some 2 KB of the outbox's 3
BYTES_MAX = 1800
RETRY_MS = 5000  # after a batch without an answer
STANDSTILL_MS = 30000  # after a batch of which the hub took nothing


class CableReadings:
    """`session` is the one in which the hub takes readings; 0 while it takes none."""

    def __init__(self, buffer: Buffer, identity: Identity, log: Log) -> None:
        self.session = 0
        self._buffer = buffer
        self._identity = identity
        self._log = log
        self._batch_ms = 0  # when the next batch may go out

    def welcome(self, header: "dict[str, object]", session: int) -> None:
        """The hub has said in that session how the board stands there."""
        self._acknowledge(header)
        self.session = session if header.get("approved") is True else 0
        self._batch_ms = 0

    def taken(self, header: "dict[str, object]", now: int) -> None:
        """Its answer to a batch."""
        before = self._buffer.cursor
        self._acknowledge(header)
        self._batch_ms = 0 if self._buffer.cursor > before else now + STANDSTILL_MS

    def batch(self, now: int) -> "bytes | None":
        """The message that is due, as JSON; None when there is none."""
        if now < self._batch_ms or not self._buffer.waiting():
            return None
        first, dropped, payloads = self._buffer.batch(RECORDS_MAX, BYTES_MAX)
        if not payloads:
            return None
        self._batch_ms = now + RETRY_MS
        head = json.dumps({
            "type": "readings",
            "epoch": self._identity.epoch,
            "first": first,
            "dropped": dropped,
            "boot": self._identity.boot,
            "uptime_ms": now,
        })  # fmt: skip
        return head.encode()[:-1] + b',"records":[' + b",".join(payloads) + b"]}"

    def _acknowledge(self, header: "dict[str, object]") -> None:
        next_seq = header.get("next")
        if not isinstance(next_seq, int):
            return
        try:
            self._buffer.acknowledge(next_seq)
        except OSError as error:
            self._log.error("the buffer: %r" % error)
