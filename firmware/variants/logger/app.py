"""The asset logger: up to eight machines' run contacts, every change kept on flash with its own time.

Three kinds of records, all of them readings out of the buffer. A change: `in1` ... `in8`, true when the machine
runs, false when it stands still, "unknown" while its contact chatters; dated by when it began. A heartbeat:
`alive`, whole seconds since the start; by it the hub sees that the logger was there, and, as it falls with every
start, when it was not. A statement: a heartbeat with the state of every input; it comes first after a start, with
every tenth heartbeat, and after records were lost, so that whoever has a part of them knows the states again.
"""

from outpost import VERSION, config
from outpost.device import Device
from outpost.port import Port
from variants.logger.lock import Lock, new_code
from variants.logger.runs import Runs
from variants.logger.site import DEBOUNCE_MS_MAX, HEARTBEAT_S_MAX, HEARTBEAT_S_MIN, Site
from variants.logger.wiring import oled_pins, wires
from variants.logger.words import AWAY, CONNECTED, PENDING, Board, word

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.agent import Agent
    from outpost.server import Server  # noqa: F401  (for the types)
    from variants.logger.display import Display

STATEMENT_BEATS = 10  # heartbeats from one statement to the next
CODE_BYTES = 8
PORT_MAX = 65535
OFF = "off"


class Logger(Device):
    """One board."""

    kind = "logger"

    def __init__(self, port: Port, agent: "type[Agent] | None" = None) -> None:
        super().__init__(port, agent)
        inputs = wires(self.settings, self._log.error)
        port.take_inputs({wire.key: (wire.pin, 1 - wire.running) for wire in inputs})
        self.runs = Runs(inputs, config.number(self.settings, "debounce_ms", 0, DEBOUNCE_MS_MAX))
        self._heartbeat_ms = config.number(self.settings, "heartbeat_s", HEARTBEAT_S_MIN, HEARTBEAT_S_MAX) * 1000
        self._due_ms = None  # type: int | None  # of the next heartbeat; None before the first record
        self._beats = 0
        self._lost = self._buffer.lost
        self._lock = Lock(self._clock, str(self.settings["page_code"]))
        self._site = Site(port, self.settings, self._lock, self.board, self.facts)
        self._server = None  # type: Server | None
        self._makes_room = False
        number = config.number(self.settings, "page_port", 0, PORT_MAX)
        if number and agent is not None:
            from outpost.server import Server

            self._server = Server(port, self._clock, self._log, number, self._site.answer)
        oled = oled_pins(self.settings, inputs, self._log.error)
        self._display = self._screen(oled) if oled is not None else None

    def tick(self) -> None:
        now = self._clock.ms()
        changes = self.runs.sample(self._port.read_inputs(), now)
        if self._due_ms is not None:
            for at_ms, states in changes:
                self.note(states, at_ms)
        self._beat(now)
        if self._display is not None:
            self._display.tick()
        if self._server is not None and not self._makes_room and self._port.network_up():
            self._server.service()
        if self._site.restart and (self._server is None or self._server.idle):
            self._site.restart = False
            self._console.restart = True

    def page_number(self) -> int:
        return self._server.number if self._server is not None else 0

    def make_room(self, on: bool) -> None:
        self._makes_room = on
        if on and self._server is not None:
            self._server.close()

    def describe(self) -> "dict[str, object]":
        described = {
            "inputs": len(self.runs.inputs),
            "heartbeat_s": self._heartbeat_ms // 1000,
            "oled": self._display is not None and self._display.present,
        }  # type: dict[str, object]
        for input in self.runs.inputs:
            described["bounces_" + input.key] = input.bounces()
        return described

    def status(self) -> "list[tuple[str, object]]":
        shown = super().status()
        for input in self.runs.inputs:
            shown.append((input.key, "%s, %s, pin %d" % (input.name, word(input.state), input.pin)))
        return shown + [("page", self._address() or "-"), ("page code", self._lock.code or "-")]

    def console_commands(self) -> "dict[str, tuple[str, Callable[[list[str]], str]]]":
        return {"page_code": ("a new code for changing settings over the page, or: page_code off", self._new_code)}

    def board(self) -> Board:
        """What there is to tell just now. It is asked for often."""
        board = Board(self.runs, self._name or self._identity.chip)
        board.now = self._clock.ms()
        board.now_us = self.now_us()
        board.hub, board.code = self._hub()
        board.waiting = self._buffer.waiting()
        board.address = self._address()
        return board

    def facts(self) -> "dict[str, object]":
        """For who looks closer."""
        return {
            "ip_address": self._port.address(),
            "wifi_rssi": self._port.signal_dbm(),
            "free_heap": self._port.heap_free(),
            "chip": self._identity.chip,
            "fw": VERSION,
            "boot": self._identity.boot,
        }

    # Records

    def _beat(self, now: int) -> None:
        """Keep the heartbeat that is due, if one is."""
        if self._due_ms is not None and now < self._due_ms:
            return
        stating = self._due_ms is None or self._beats + 1 >= STATEMENT_BEATS or self._buffer.lost != self._lost
        if stating and not self.runs.settled():
            return  # soon: an input that is between two levels would be told as it was
        values = {"alive": now // 1000}  # type: dict[str, object]
        self._beats += 1
        if stating:
            self._beats = 0
            self._lost = self._buffer.lost
            values.update(self.runs.states())
        due_ms = (now if self._due_ms is None else self._due_ms) + self._heartbeat_ms
        self._due_ms = due_ms if due_ms > now else now + self._heartbeat_ms
        self.note(values, now)

    # How it stands

    def _hub(self) -> "tuple[str, str]":
        """How the hub stands to it, and the code to pair with."""
        network = self._agent.state() if self._agent is not None else {}
        code = str(network.get("code", ""))
        if self._agent is not None and self._agent.online:
            return PENDING if network["network"] == PENDING else CONNECTED, code
        if self._link.session:
            return CONNECTED if self._readings.session == self._link.session else PENDING, code
        return AWAY, code

    def _address(self) -> str:
        """Of the page; empty while there is none."""
        if self._server is None or not self._port.address():
            return ""
        return "%s:%d" % (self._port.address(), self._server.number)

    def _screen(self, pins: "tuple[int, int, int]") -> "Display | None":
        from variants.logger.display import Display

        try:
            oled = self._port.oled(pins[0], pins[1], pins[2])
        except (OSError, ValueError) as error:
            self._log.error("there is no OLED: %s" % error)
            return None
        return Display(oled, self._clock, self._log, self.board, lambda: self._lock.code)

    def _new_code(self, words: "list[str]") -> str:
        """Typed at the console. Who is there may change everything anyway."""
        if words not in ([], [OFF]):
            return "page_code, or: page_code off"
        code = "" if words else new_code(self._port.random(CODE_BYTES))
        try:
            self._save({"page_code": code})
        except OSError as error:
            return "it could not be stored: %r" % error
        self._lock.renew(code)
        return "page code " + code if code else "nothing can be changed over the page now"
