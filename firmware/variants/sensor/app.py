"""The sensor board: measures every `read_s`, tells a digital input's change at once, and has switches.

The switches v0 ... v4 are desired state: the hub says what they shall be, the board says what they are. What they
are outlives the power, so a pump goes on running when it comes back before the hub does.
"""

import json

from outpost import config
from outpost.device import Device
from outpost.port import Port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.agent import Agent

SWITCHES = ("v0", "v1", "v2", "v3", "v4")
OUTPUTS_KEY = "outputs"
MEASURE_MS = 1000  # from the sensors' start to their answer: a DS18B20 takes 750
READ_S_MIN, READ_S_MAX = 2, 86400  # a DHT22 wants two seconds between readings
DEBOUNCE_MS_MAX = 5000


class Debounced:
    """A digital input that counts as changed when it has said the same for a while."""

    def __init__(self, on: bool) -> None:
        self.on = on
        self._candidate = on
        self._since_ms = 0

    def changed(self, on: bool, now: int, hold_ms: int) -> bool:
        """Take what it says now; whether it counts as changed by that."""
        if on != self._candidate:
            self._candidate = on
            self._since_ms = now
        if self._candidate == self.on or now - self._since_ms < hold_ms:
            return False
        self.on = self._candidate
        return True


class Sensor(Device):
    """One board."""

    kind = "sensor"

    def __init__(self, port: Port, agent: "type[Agent] | None" = None) -> None:
        super().__init__(port, agent)
        self._read_ms = config.number(self.settings, "read_s", READ_S_MIN, READ_S_MAX) * 1000
        self._hold_ms = config.number(self.settings, "debounce_ms", 0, DEBOUNCE_MS_MAX)
        self._read_due_ms = 0
        self._measured_ms = None  # type: int | None  # when the sensors that have begun are done
        inputs = port.read_inputs()
        self._inputs = {key: Debounced(inputs[key]) for key in inputs}
        self._switches = self._remembered()
        for key in list(self._switches):
            self._switch(key, self._switches[key])

    def tick(self) -> None:
        now = self._clock.ms()
        changed = self._changed_inputs(now)
        if self._measured_ms is not None and now >= self._measured_ms:
            self._measured_ms = None
            self.note(self._everything())  # what changed just now is in it
            return
        self.note(changed)
        if self._measured_ms is None and now >= self._read_due_ms:
            self._read_due_ms = now + self._read_ms
            self._measured_ms = now + MEASURE_MS
            self._port.begin_measuring()

    def apply(self, desired: "dict[str, object]") -> "dict[str, object]":
        """Switch what differs. A value that is neither true nor false, nor 1 nor 0, is none of ours."""
        before = dict(self._switches)
        said = {}  # type: dict[str, object]
        for key in SWITCHES:
            wanted = desired.get(key)
            if wanted in (0, 1) and self._switch(key, bool(wanted)):
                said[key] = wanted
        if self._switches != before:
            self._remember()
        return said

    def describe(self) -> "dict[str, object]":
        return {"read_s": self._read_ms // 1000, "inputs": len(self._inputs), "switches_on": self._on()}

    def _on(self) -> int:
        return len([key for key in self._switches if self._switches[key]])

    def _changed_inputs(self, now: int) -> "dict[str, object]":
        says = self._port.read_inputs()
        changed = {}  # type: dict[str, object]
        for key in says:
            if key not in self._inputs:
                self._inputs[key] = Debounced(not says[key])
            if self._inputs[key].changed(says[key], now, self._hold_ms):
                changed[key] = says[key]
        return changed

    def _everything(self) -> "dict[str, object]":
        values = self._port.measured()
        for key in self._inputs:
            values[key] = self._inputs[key].on
        values.update(self._switches)
        return values

    # Switches

    def _switch(self, key: str, on: bool) -> bool:
        """Whether there is such a switch; it is so then."""
        try:
            self._port.set_output(SWITCHES.index(key), on)
        except OSError:
            return False
        self._switches[key] = on
        return True

    def _remembered(self) -> "dict[str, bool]":
        stored = self._port.load(OUTPUTS_KEY)
        try:
            kept = json.loads(stored) if stored is not None else {}
        except ValueError:
            kept = {}
        return {key: kept[key] is True for key in SWITCHES if isinstance(kept, dict) and key in kept}

    def _remember(self) -> None:
        try:
            self._port.save(OUTPUTS_KEY, json.dumps(self._switches).encode())
        except OSError as error:
            self._log.error("the switches could not be stored: %r" % error)
