"""The payment display: the main loop, and what each command does."""

from outpost import VERSION, config
from outpost.clock import Clock
from outpost.commands import Command, Commands, Refused
from outpost.health import Health
from outpost.identity import Identity
from outpost.inbox import BadMessage
from outpost.ledger import Ledger
from outpost.link import Link
from outpost.log import Log
from outpost.port import Panel, Port
from variants.display.pictures import SLOT_MAX, BadPicture, Pictures
from variants.display.screen import Screen

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

PROTOCOL = 1
MIN_PROTOCOL = 1
STATE_MS = 10000
ROUND_MS = 50  # the longest wait for input, so that timers are late by no more
SHOW_S = 120  # for how long a QR stays when the command does not say
SHOW_S_MAX = 3600
FAREWELL_MS = 2000  # how long a reboot waits for the hub to have its result
ZLIB_WBITS = 12  # 4 KB: what inflating may cost without thought on a heap of 100 KB


class Display:
    """Everything on one board. `run` does not return."""

    def __init__(self, port: Port, panel: Panel) -> None:
        self._port = port
        self._panel = panel
        settings = config.load(port)
        self._clock = Clock(port)
        self._log = Log()
        self._health = Health(port, self._clock)
        self._identity = Identity(port)
        self._name = str(settings["name"])
        self._ledger = Ledger(port)
        announcement = self._identity.chip.encode() + self._identity.boot.to_bytes(4, "little")
        self._link = Link(port, self._clock, self._log, announcement)
        self._screen = Screen(
            panel,
            Pictures(port, self._breathe),
            self._clock,
            self._log,
            title=self._name or self._identity.chip,
            rotate_ms=int(str(settings["rotate_s"])) * 1000,
            breathe=self._breathe,
        )
        self._commands = Commands(self._ledger, self._clock, self._log, self._handlers())
        self._state_ms = 0
        self._reboot_ms = None  # type: int | None

    def run(self) -> None:
        """Serve for ever. Raises LineGone where a line can go."""
        while True:
            self._link.service(ROUND_MS)
            self._health.listened()
            self._port.feed_watchdog()
            if self._link.inbox.whole:
                self._take_message()
            self._screen.tick()
            self._tell()
            self._reboot_if_due()

    def _breathe(self) -> None:
        """Serve the line in the middle of slow work."""
        self._link.service(0)
        self._health.listened()

    def _take_message(self) -> None:
        inbox = self._link.inbox
        try:
            header, blob = inbox.message()
        except BadMessage as error:
            self._link.spoiled("a broken message: %s" % error)
            return
        kind = header.get("type")
        if kind == "hello":
            self._link.send(self._hello())
            self._screen.changed = True
        elif kind == "command":
            self._link.send(self._commands.run(Command(header, blob, inbox.began_ms)))
        inbox.release()

    def _tell(self) -> None:
        """State on change and every STATE_MS, log lines as they come; only once the hub has all before."""
        if not self._link.session or not self._link.idle():
            return
        now = self._clock.ms()
        if self._screen.changed or now - self._state_ms >= STATE_MS:
            state = {"type": "state"}  # type: dict[str, object]
            state.update(self._screen.state())
            state.update(self._health.report())
            self._link.send(state)
            self._screen.changed = False
            self._state_ms = now
            return
        line = self._log.take()
        if line is not None:
            self._link.send(line)

    def _hello(self) -> "dict[str, object]":
        panel = self._panel
        return {
            "type": "hello",
            "proto": PROTOCOL,
            "min_proto": MIN_PROTOCOL,
            "chip": self._identity.chip,
            "kind": "display",
            "name": self._name,
            "fw": VERSION,
            "epoch": self._identity.epoch,
            "hwm": self._ledger.hwm,
            "in_doubt": self._ledger.in_doubt,
            "rx": self._port.rx_bytes,
            "baud_max": self._port.baud_max,
            "panel": {
                "width": panel.width,
                "height": panel.height,
                "format": "1bpp-zlib",
                "zlib_wbits": ZLIB_WBITS,
            },
            "boot": self._identity.boot,
            "uptime_ms": self._clock.ms(),
        }

    # What the commands do

    def _handlers(self) -> "dict[str, Callable[[Command], None]]":
        return {
            "display_qr": self._display_qr,
            "store_picture": self._store_picture,
            "erase_picture": self._erase_picture,
            "stop_rotation": lambda command: self._screen.rotate(False),
            "start_rotation": lambda command: self._screen.rotate(True),
            "reboot": self._reboot,
        }

    def _display_qr(self, command: Command) -> None:
        show_s = command.args.get("show_s", SHOW_S)
        if not isinstance(show_s, (int, float)) or not 0 < show_s <= SHOW_S_MAX:
            raise Refused("bad_args")
        try:
            self._screen.show_qr(command.id, command.blob, int(show_s * 1000))
        except BadPicture as error:
            self._log.error("%s: %s" % (command.id, error))
            raise Refused("bad_picture")

    def _store_picture(self, command: Command) -> None:
        try:
            self._screen.store(_slot(command), command.blob)
        except BadPicture as error:
            self._log.error("%s: %s" % (command.id, error))
            raise Refused("bad_picture")

    def _erase_picture(self, command: Command) -> None:
        slot = _slot(command)
        if slot in self._screen.slots():
            self._screen.erase(slot)

    def _reboot(self, command: Command) -> None:
        self._reboot_ms = self._clock.ms() + FAREWELL_MS

    def _reboot_if_due(self) -> None:
        if self._reboot_ms is not None and (self._link.idle() or self._clock.ms() >= self._reboot_ms):
            self._link.goodbye()
            self._port.reboot()


def _slot(command: Command) -> int:
    slot = command.args.get("slot")
    if not isinstance(slot, int) or not 1 <= slot <= SLOT_MAX:
        raise Refused("bad_args")
    return slot
