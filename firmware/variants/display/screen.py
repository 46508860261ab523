"""What is on the panel and for how long: a QR for its time, else the picture that the hub has scheduled, else
stored pictures in turn, else the idle screen.

One framebuffer is enough: the panel keeps what it shows by itself, so a new picture is inflated and checked here
while the old one stays to be seen, and only a whole one is drawn.
"""

from outpost.canvas import Canvas
from outpost.clock import Clock
from outpost.log import Log
from outpost.port import Panel
from outpost.showing import Showing
from variants.display.pictures import BadPicture, Pictures

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

IDLE = "idle"
PICTURE = "picture"
QR = "qr"


class Screen:
    """The panel's state machine; `tick` drives it. `changed` is set whenever what it tells has changed."""

    def __init__(
        self,
        panel: Panel,
        pictures: Pictures,
        showing: Showing,
        clock: Clock,
        log: Log,
        *,
        title: str,
        rotate_ms: int,
        breathe: "Callable[[], None]",
    ) -> None:
        self._panel = panel
        self._pictures = pictures
        self._showing = showing
        self._scheduled = ""  # the hash of the scheduled picture, while that is on the panel
        self._clock = clock
        self._log = log
        self._title = title
        self._rotate_ms = rotate_ms
        self._breathe = breathe
        self._buffer = bytearray((panel.width + 7) // 8 * panel.height)
        self._slots = pictures.slots()
        self._next_ms = 0  # when the shown thing's time is over
        self._shown_ms = 0
        self._slot = None  # type: int | None
        self._command = None  # type: str | None
        self.kind = ""
        self.rotating = True
        self.changed = True
        if not self._show_scheduled():
            self._show_idle()

    def show_qr(self, command_id: str, blob: memoryview, show_ms: int) -> None:
        """Show a QR for `show_ms` from now. Raises BadPicture, and the screen stays as it was."""
        self._pictures.unpack(blob, self._buffer)
        self._draw(QR, None, command_id)
        self._next_ms = self._clock.ms() + show_ms

    def store(self, slot: int, blob: memoryview) -> None:
        """Keep a picture. Raises BadPicture, OSError; the slot is then as it was."""
        self._pictures.unpack(blob, self._buffer)
        self._pictures.store(slot, blob)
        self._pictures_changed(slot)

    def erase(self, slot: int) -> None:
        """Drop a stored picture, from the panel too. Raises OSError."""
        self._pictures.erase(slot)
        self._pictures_changed(slot)

    def slots(self) -> "list[int]":
        """The slots that hold a picture."""
        return self._pictures.slots()

    def rotate(self, on: bool) -> None:
        """Let the stored pictures take turns, which ends a QR at once, or leave what is there."""
        self.rotating = on
        self.changed = True
        if on:
            self._next_ms = self._clock.ms()

    def tick(self) -> None:
        """Change the picture if its time has come."""
        if self.kind == QR and self._clock.ms() < self._next_ms:
            return
        if self._scheduled != self._due():
            self._go_on()
            return
        if self._scheduled or self._clock.ms() < self._next_ms:
            return
        if self.kind == QR or self.kind == "":
            self._go_on()
        elif self.rotating and self._slots:
            self._show_next()

    def state(self) -> "dict[str, object]":
        """Fields of the state message."""
        now = self._clock.ms()
        return {
            "screen": self.kind,
            "slot": self._slot,
            "command": self._command,
            "shown_ms": now - self._shown_ms,
            "left_ms": max(0, self._next_ms - now) if self.kind == QR else None,
            "rotating": self.rotating,
            "pictures": self._slots,
        }

    def _due(self) -> str:
        """The hash of the picture that the hub has scheduled and that is here; '' for none."""
        return self._showing.picture if self._showing.scheduled else ""

    def _show_scheduled(self) -> bool:
        """Whether there is such a picture; it is on the panel then. One that is damaged is fetched anew."""
        if not self._due():
            return False
        picture, at = self._showing.begin(), 0
        try:
            for band in self._showing.rows():
                self._buffer[at : at + len(band)] = band
                at += len(band)
                self._breathe()
        except (OSError, ValueError, EOFError):
            self._showing.is_not(damaged=True)
            return False
        self._draw(PICTURE, None, None)
        self._scheduled = picture
        self._showing.is_shown(picture)
        return True

    def _go_on(self) -> None:
        """After a QR: back to the scheduled picture or the stored ones; with none, or with rotation off, idle."""
        if self._show_scheduled():
            return
        if self.rotating and self._slots:
            self._show_next()
        else:
            self._show_idle()

    def _show_next(self) -> None:
        """The next slot that can be read. One that can't is left out until the next start."""
        self._next_ms = self._clock.ms() + self._rotate_ms
        while self._slots:
            later = [slot for slot in self._slots if slot > (self._slot or 0)]
            slot = (later or self._slots)[0]
            if self.kind == PICTURE and slot == self._slot:
                return
            try:
                self._pictures.load(slot, self._buffer)
            except (BadPicture, OSError) as error:
                self._log.error("picture %d: %s" % (slot, error))
                self._slots.remove(slot)
                continue
            self._draw(PICTURE, slot, None)
            return
        self._show_idle()

    def _show_idle(self) -> None:
        canvas = Canvas(self._buffer, self._panel.width, self._panel.height)
        canvas.clear()
        middle = self._panel.height // 2
        canvas.centred("Outpost", middle - 80, 6)
        canvas.centred(self._title, middle, 3)
        canvas.centred("ready", middle + 50, 3)
        self._draw(IDLE, None, None)

    def _pictures_changed(self, slot: int) -> None:
        self._slots = self._pictures.slots()
        self.changed = True
        if self.kind != QR and self.rotating:
            self._next_ms = self._clock.ms()
        if self.kind == PICTURE and slot == self._slot:
            self.kind = ""  # what is shown is not in the slot any more: show another at once
            self._next_ms = self._clock.ms()

    def _draw(self, kind: str, slot: "int | None", command_id: "str | None") -> None:
        for _ in self._panel.slices(self._buffer):
            self._breathe()
        self.kind = kind
        self._scheduled = ""
        self._showing.is_covered(briefly=kind == QR)
        self._slot = slot
        self._command = command_id
        self._shown_ms = self._clock.ms()
        self.changed = True
