"""The payment display: what each command does, and what the hub is told of the screen."""

from outpost.commands import Command, Refused
from outpost.device import Device
from outpost.inbox import MESSAGE_BYTES_MAX
from outpost.port import Panel, Port
from variants.display.pictures import SLOT_MAX, BadPicture, Pictures
from variants.display.screen import QR, Screen

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

STATE_MS = 10000
SHOW_S = 120  # for how long a QR stays when the command does not say
SHOW_S_MAX = 3600
ZLIB_WBITS = 12  # 4 KB: what inflating may cost without thought on a heap of 100 KB


class Display(Device):
    """Everything on one board."""

    kind = "display"
    networked = False
    message_bytes = MESSAGE_BYTES_MAX  # a whole picture at once

    def __init__(self, port: Port, panel: Panel) -> None:
        self._panel = panel
        super().__init__(port)
        assert self._showing is not None
        self._screen = Screen(
            panel,
            Pictures(port, self.breathe),
            self._showing,
            self._clock,
            self._log,
            title=self._name or self._identity.chip,
            rotate_ms=int(str(self.settings["rotate_s"])) * 1000,
            breathe=self.breathe,
        )
        self._state_ms = 0

    def tick(self) -> None:
        self._screen.tick()

    def panel(self) -> "dict[str, object] | None":
        return {
            "width": self._panel.width,
            "height": self._panel.height,
            "format": "1bpp-zlib",
            "zlib_wbits": ZLIB_WBITS,
        }

    def occupied(self) -> str:
        return "a QR is shown" if self._screen.kind == QR else ""

    def greeted(self) -> None:
        self._screen.changed = True

    def news(self, now: int) -> "dict[str, object] | None":
        """The state, on change and every STATE_MS."""
        if not self._screen.changed and now - self._state_ms < STATE_MS:
            return None
        self._screen.changed = False
        self._state_ms = now
        state = {"type": "state"}  # type: dict[str, object]
        state.update(self._screen.state())
        state.update(self._health.report())
        return state

    # What the commands do

    def handlers(self) -> "dict[str, Callable[[Command], None]]":
        handlers = super().handlers()
        handlers["display_qr"] = self._display_qr
        handlers["store_picture"] = self._store_picture
        handlers["erase_picture"] = self._erase_picture
        handlers["stop_rotation"] = lambda command: self._screen.rotate(False)
        handlers["start_rotation"] = lambda command: self._screen.rotate(True)
        return handlers

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


def _slot(command: Command) -> int:
    slot = command.args.get("slot")
    if not isinstance(slot, int) or not 1 <= slot <= SLOT_MAX:
        raise Refused("bad_args")
    return slot
