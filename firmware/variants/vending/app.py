"""The vending machine: one motor turn for each `vend`, and never one more.

The order is what keeps the promise. The command's number is claimed (outpost.ledger); then the marker is stored,
which holds that number and counts the turn; only then is the motor energised. So a claim whose marker is another's
has certainly turned nothing, and one whose marker is its own and that has no result may have. When the drop sensor
sees the item, that is stored in the marker at once, and proves it after a power cut.
"""

from outpost import config
from outpost.commands import Command, Refused
from outpost.device import Device
from outpost.ledger import IN_DOUBT, NOT_BEGUN
from outpost.port import Port

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.agent import Agent

SLOTS_MAX = 32
MOTOR_MS_MIN, MOTOR_MS_MAX = 50, 10000  # the port's own guard is longer
DROP_MS_MAX = 15000
STEP_MS = 5  # between two looks at the clock and the sensor while a motor turns
MARKER_KEY = "motor"
BY_SENSOR = "sensor"


class Marker:
    """What is on flash about the motors: whose turn was the last, whether its item was seen to fall, and how often
    each slot's motor was started. One value, so that one commit says all of it.
    """

    def __init__(self, port: Port, slots: int) -> None:
        self._port = port
        self.seq = 0
        self.fell = False
        stored = port.load(MARKER_KEY) or b""
        if len(stored) >= 9:
            self.seq = int.from_bytes(stored[:8], "little")
            self.fell = bool(stored[8])
        counts = [int.from_bytes(stored[at : at + 4], "little") for at in range(9, len(stored) - 3, 4)]
        self.turns = counts + [0] * (slots - len(counts))

    def begin(self, seq: int, slot: int) -> None:
        """The motor of `slot` is about to turn for command `seq`. Raises OSError, and then it must not."""
        self.seq = seq
        self.fell = False
        self.turns[slot - 1] += 1
        self._save()

    def item_fell(self) -> None:
        """The sensor saw it. Raises OSError; it fell all the same."""
        self.fell = True
        self._save()

    def verdict(self, seq: int) -> "tuple[str, str]":
        """What is known of a claim without a result: `err` and evidence."""
        if self.seq != seq:
            return NOT_BEGUN, ""
        return ("", BY_SENSOR) if self.fell else (IN_DOUBT, "")

    def _save(self) -> None:
        counts = b"".join([count.to_bytes(4, "little") for count in self.turns])
        self._port.save(MARKER_KEY, self.seq.to_bytes(8, "little") + bytes([self.fell]) + counts)


class Vending(Device):
    """One machine."""

    kind = "vending"

    def __init__(self, port: Port, agent: "type[Agent] | None" = None) -> None:
        settings = config.load(port)
        pins = settings["motor_pins"]
        wired = len(pins) if isinstance(pins, list) else 0
        self._slots = min(config.number(settings, "slots", 1, SLOTS_MAX), wired)
        self._motor_ms = config.number(settings, "motor_ms", MOTOR_MS_MIN, MOTOR_MS_MAX)
        self._drop_ms = config.number(settings, "drop_ms", self._motor_ms, DROP_MS_MAX)
        self._marker = Marker(port, self._slots)  # before the base: its ledger asks at the start
        super().__init__(port, agent)

    def handlers(self) -> "dict[str, Callable[[Command], None]]":
        handlers = super().handlers()
        handlers["vend"] = self._vend
        handlers["machine_status"] = self._machine_status
        return handlers

    def settle_claim(self, id: str, seq: int) -> "tuple[str, str]":
        return self._marker.verdict(seq)

    def describe(self) -> "dict[str, object]":
        described = {"slots": self._slots, "drop_sensor": self._port.has_drop_sensor()}  # type: dict[str, object]
        for i in range(self._slots):
            described["turns_%d" % (i + 1)] = self._marker.turns[i]
        return described

    def _machine_status(self, command: Command) -> None:
        self.report_soon()

    def _vend(self, command: Command) -> None:
        slot = command.args.get("slot")
        if isinstance(slot, bool) or not isinstance(slot, int) or not 1 <= slot <= self._slots:
            raise Refused("bad_args")
        if self._port.has_drop_sensor():
            self._vend_seen(command, slot)
        else:
            self._vend_unseen(command, slot)
        self.report_soon()

    def _vend_unseen(self, command: Command, slot: int) -> None:
        """The motor turns for its time. That is all there is to know."""
        self._marker.begin(command.seq, slot)
        try:
            self._port.motor(slot, self._motor_ms)
            self._wait(self._motor_ms)
        finally:
            self._port.motor(slot, 0)

    def _vend_seen(self, command: Command, slot: int) -> None:
        """The motor turns until something falls, which may be a little after its time; done only if it does."""
        self._port.dropped()  # what fell before is not this one's
        if self._port.dropped():
            raise Refused("sensor_blocked")
        self._marker.begin(command.seq, slot)
        try:
            self._port.motor(slot, self._motor_ms)
            fell = self._wait(self._motor_ms) or self._stop_and_wait(slot)
        finally:
            self._port.motor(slot, 0)  # before anything else: what turns on may push out a second item
        if not fell:
            raise Refused("no_drop")
        command.evidence = BY_SENSOR
        try:
            self._marker.item_fell()
        except OSError as error:
            self._log.error("%s: it fell, and that could not be stored: %r" % (command.id, error))

    def _stop_and_wait(self, slot: int) -> bool:
        self._port.motor(slot, 0)
        return self._wait(self._drop_ms - self._motor_ms)

    def _wait(self, ms: int) -> bool:
        """Look at the sensor for so long; whether something fell. The cable is served, but neither the console nor
        the network: printing and looking up a name can hold up the end of a turn.
        """
        until = self._clock.ms() + ms
        watches = self._port.has_drop_sensor()
        console, self._link.console = self._link.console, None
        try:
            while self._clock.ms() < until:
                if watches and self._port.dropped():
                    return True
                self._link.service(STEP_MS)
                self._health.listened()
                self._port.feed_watchdog()
        finally:
            self._link.console = console
        return watches and self._port.dropped()
