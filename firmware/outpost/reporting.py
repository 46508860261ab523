"""What a device tells its hub over the network by itself: the readings in its buffer, and how it fares."""

import json

from outpost.buffer import Buffer
from outpost.clock import Clock
from outpost.identity import Identity
from outpost.log import Log

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

RECORDS_MAX = 64  # in one batch
REPORT_MS = 60000  # between two reports when there is nothing to say
LOG_MS = 2000  # after a line was logged: more may come
LINES_MAX = 16  # log lines of one report
STANDSTILL_MS = 30000  # the hub took nothing: this device is not approved yet, or the hub has no room


class Reporting:
    """Readings and reports. Readings go to a hub that has `approved` the device only: no other takes them."""

    def __init__(
        self, identity: Identity, clock: Clock, log: Log, buffer: Buffer, health: "Callable[[], dict[str, object]]"
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._log = log
        self._buffer = buffer
        self._health = health
        self._records_max = RECORDS_MAX
        self._resume_ms = 0
        self._reported_ms = -REPORT_MS
        self._lines = []  # type: list[list[str]]
        self._lines_dropped = 0
        self.approved = False

    @property
    def waiting(self) -> bool:
        """Whether there is something that the hub has not got and would take."""
        readings = self.approved and self._buffer.waiting() > 0 and self._clock.ms() >= self._resume_ms
        return bool(readings or self._lines or self._reported_ms < 0)

    # Readings

    def welcome(self, message: "dict[str, object]") -> None:
        """A hub's first word: the time, how far it has the readings, and whether it takes more."""
        self.learn(message)
        self.approved = message.get("approved") is True
        self._resume_ms = 0
        expected = message.get("next")
        if isinstance(expected, int):
            self._acknowledge(expected)

    def learn(self, message: "dict[str, object]") -> None:
        """The hub's time, if it is good enough to date readings by; else the hub dates them by our uptime."""
        now_us = message.get("now_us")
        if isinstance(now_us, int) and message.get("quality") in ("ntp", "fixed"):
            self._clock.learn(now_us)

    def batch(self, bytes_max: int) -> "bytes | None":
        """The oldest readings the hub has not, as a message in JSON; None: there is nothing to send now."""
        if not self.approved or not self._buffer.waiting() or self._clock.ms() < self._resume_ms:
            return None
        first, dropped, payloads = self._buffer.batch(self._records_max, bytes_max)
        head = {
            "epoch": self._identity.epoch, "first": first, "dropped": dropped,
            "boot": self._identity.boot, "uptime_ms": self._clock.ms(),
        }  # fmt: skip
        return json.dumps(head).encode()[:-1] + b', "records": [' + b",".join(payloads) + b"]}"

    def taken(self, message: "dict[str, object]") -> None:
        """The hub's answer to a batch."""
        expected = message.get("next")
        before = self._buffer.cursor
        if isinstance(expected, int):
            self._acknowledge(expected)
        if self._buffer.cursor == before:
            self._resume_ms = self._clock.ms() + STANDSTILL_MS
        else:
            self._records_max = RECORDS_MAX
        refused = message.get("refused")
        if isinstance(refused, list) and refused:
            self._log.error("the hub refused readings: %s" % refused[0])

    def spoiled(self) -> None:
        """The hub will never take this batch: find the record that it is for, and give that one up."""
        if self._records_max > 1:
            self._records_max = 1
            return
        first = self._buffer.batch(1, 0)[0]
        self._log.error("the hub can't read record %d: given up" % first)
        self._acknowledge(first + 1)

    # Reports

    def report(self) -> "dict[str, object] | None":
        """How the device fares and what it has logged, when it is time for it. Given again until `reported`."""
        while len(self._lines) < LINES_MAX:
            line = self._log.take()
            if line is None:
                break
            self._lines.append([str(line["level"]), str(line["text"])])
            dropped = line["dropped"]
            self._lines_dropped += dropped if isinstance(dropped, int) else 0
        since = self._clock.ms() - self._reported_ms
        if since < (LOG_MS if self._lines else REPORT_MS):
            return None
        return {"health": self._health(), "log": self._lines, "dropped": self._lines_dropped}

    def reported(self) -> None:
        """The hub has it."""
        self._reported_ms = self._clock.ms()
        self._lines = []
        self._lines_dropped = 0

    def _acknowledge(self, expected: int) -> None:
        try:
            self._buffer.acknowledge(expected)
        except OSError as error:
            self._log.error("the buffer's cursor could not be stored: %r" % error)
