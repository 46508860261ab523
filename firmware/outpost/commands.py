"""Carrying out commands: at most once, in time, and with an answer whatever happens."""

import binascii

from outpost.clock import Clock
from outpost.ledger import ID_BYTES_MAX, IN_DOUBT, Ledger, result
from outpost.log import Log
from outpost.stats import Stats

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

ENOSPC = 28


class Refused(Exception):
    """A handler won't do it; the code is what the hub is told."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Command:
    """One command as it came."""

    def __init__(self, header: "dict[str, object]", blob: memoryview, received_ms: int) -> None:
        self.id = str(header.get("id", ""))
        self.seq = _whole(header, "seq")
        self.kind = str(header.get("kind", ""))
        args = header.get("args")
        self.args = args if isinstance(args, dict) else {}  # type: dict[str, object]
        self.blob = blob
        self.blob_whole = len(blob) == _whole(header, "blob_size") and binascii.crc32(blob) & 0xFFFFFFFF == _whole(
            header, "blob_crc"
        )
        self.expires_ms = received_ms + _whole(header, "ttl_ms")
        self.evidence = ""  # set by the handler: what its end is known by, when it is known by more than its word


class Commands:
    """The handlers of a variant, by kind, behind the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        log: Log,
        handlers: "dict[str, Callable[[Command], None]]",
        stats: "Stats | None" = None,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._handlers = handlers
        self._stats = stats
        self.running = False

    def run(self, command: Command) -> "dict[str, object]":
        """Do it, unless there is a reason not to; the result message. What is refused here is not claimed.

        One at a time: what is asked from inside a handler, for another link, is told `busy`, and about the running
        command itself nothing can be said yet.
        """
        if self.running:
            err = IN_DOUBT if command.seq == self._ledger.hwm else "busy"
            return result(command.id, command.seq, err, 0)
        known = self._ledger.answer(command.id, command.seq)
        if known is not None:
            return known
        err = self._objection(command)
        if not err:
            try:
                self._ledger.claim(command.id, command.seq)
            except OSError:
                err = "no_space"
        if err:
            return result(command.id, command.seq, err, 0)
        self.running = True
        try:
            return self._run_claimed(command)
        finally:
            self.running = False

    def _run_claimed(self, command: Command) -> "dict[str, object]":
        began = self._clock.ms()
        err = self._act(command)
        if self._stats is not None:
            self._stats.ended(err)
        ms = self._clock.ms() - began
        try:
            return self._ledger.settle(command.id, command.seq, err, ms, command.evidence)
        except OSError:
            self._log.error("the result of %s could not be stored" % command.id)
            return result(command.id, command.seq, err, ms, command.evidence)

    def _objection(self, command: Command) -> str:
        if not 0 < len(command.id.encode()) <= ID_BYTES_MAX or not 0 < command.seq < 1 << 63:
            return "bad_args"
        if command.kind not in self._handlers:
            return "unsupported"
        if not command.blob_whole:
            return "bad_picture"
        return "expired" if self._clock.ms() >= command.expires_ms else ""

    def _act(self, command: Command) -> str:
        try:
            self._handlers[command.kind](command)
            return ""
        except Refused as refused:
            return refused.code
        except OSError as error:
            self._log.error("%s: %r" % (command.kind, error))
            return "no_space" if error.errno == ENOSPC else "failed"
        except (MemoryError, ValueError, TypeError, KeyError) as error:
            self._log.error("%s: %r" % (command.kind, error))
            return "failed"


def _whole(header: "dict[str, object]", key: str) -> int:
    """A whole number of the header; -1 when it is none."""
    value = header.get(key, 0)
    return value if isinstance(value, int) and value >= 0 else -1
