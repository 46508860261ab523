"""What a device counts about itself since its start, told in its reports and on the console."""

from outpost.buffer import Buffer
from outpost.health import Health
from outpost.identity import Identity
from outpost.ledger import IN_DOUBT

COUNTERS = (
    "reconnects",  # sessions over the network, after the first
    "requests_ok",
    "requests_failed",
    "commands_done",
    "commands_failed",
    "commands_in_doubt",
    "values_spoilt",  # measured, but no number: a sensor that has failed
)


class Stats:
    """Counters by name, and the report that joins them with the health and the buffer's state."""

    def __init__(self, identity: Identity, health: Health, buffer: "Buffer | None" = None) -> None:
        self._identity = identity
        self._health = health
        self._buffer = buffer
        self._counts = {name: 0 for name in COUNTERS}

    def count(self, name: str) -> None:
        """One more. Raises KeyError for a name that is not in COUNTERS."""
        self._counts[name] += 1

    def ended(self, err: str) -> None:
        """A command came to its end, done when there is no `err`."""
        self.count("commands_in_doubt" if err == IN_DOUBT else "commands_failed" if err else "commands_done")

    def report(self) -> "dict[str, object]":
        """Everything, flat: numbers and text by name. Begins a new measurement of `blocked_ms`."""
        report = self._health.report()
        report["boot"] = self._identity.boot
        report["reset_cause"] = self._identity.reset_cause
        report.update(self._counts)
        if self._buffer is not None:
            report.update(self._buffer.state())
        return report
