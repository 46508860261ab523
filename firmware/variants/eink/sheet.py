"""What is on the e-paper: a picture of the hub's, or a face of the board's own. Drawn once for each change.

A panel of this kind flickers for seconds when it is drawn, lasts longer the less it is, and keeps what it shows
without power. So a face has to be so for a while before it is drawn; after each drawing there is a pause, which
only somebody who waits before it cuts short; and what it shows is remembered over the power, so that a start draws
nothing that is there already.
"""

import binascii

from outpost.clock import Clock
from outpost.log import Log
from outpost.port import Paper, Port
from outpost.showing import Showing
from variants.eink.face import Face

try:
    from collections.abc import Generator, Iterator  # noqa: F401  (for the types)
except ImportError:  # MicroPython has none, and needs none
    pass

KEY = "panel"  # in non-volatile storage: what it shows; empty while it is drawn
SETTLE_MS = 3000  # so long a change of a face has to hold
RETRY_MS = 300000  # after a panel did not answer


class Sheet:
    """One panel. `shown`: a picture's hash, or `face` and a number; '' for what nobody knows. `drawn`: so often."""

    def __init__(self, port: Port, clock: Clock, log: Log, paper: Paper, showing: Showing, rest_ms: int) -> None:
        self._port = port
        self._clock = clock
        self._log = log
        self._paper = paper
        self._showing = showing
        self._rest_ms = rest_ms  # from one drawing to the next
        self.drawn = 0
        self.shown = (port.load(KEY) or b"").decode()
        if self.shown and self.shown == showing.picture:
            showing.was_shown(self.shown)
        elif self.shown.startswith("face"):
            showing.was_covered()
        self._drawing = None  # type: Iterator[None] | None
        self._target = ""  # what is being drawn
        self._wanted = ""
        self._since_ms = 0
        self._next_ms = 0
        self._damaged = False
        self._rows = None  # type: Generator[bytes, None, None] | None  # of the picture, while it is read

    @property
    def busy(self) -> bool:
        """Whether it is being drawn, or is soon."""
        if self._drawing is not None:
            return True
        return self._wanted not in ("", self.shown) and self._next_ms - self._clock.ms() <= self._rest_ms

    def tick(self, face: "Face | None", urgent: bool) -> bool:
        """A round: show this face, or without one the picture. `urgent`: somebody waits for it. Whether that begins
        to be drawn now.
        """
        now = self._clock.ms()
        if self._drawing is not None:
            self._go_on(now)
            return False
        wanted = self._showing.picture if face is None else _name(face)
        if wanted != self._wanted:
            self._wanted, self._since_ms = wanted, now
        if wanted in ("", self.shown) or face is not None and now - self._since_ms < SETTLE_MS:
            return False
        if now < self._next_ms and not (urgent and self.shown):  # nothing is urgent on a panel that does not answer
            return False
        self._remember("")
        if face is None:
            self._target = self._showing.begin()
            rows = self._picture_rows
        else:
            self._target = wanted
            self._showing.is_covered()
            bands = face.bands

            def rows() -> "Iterator[bytes]":
                return bands(self._paper.width, self._paper.height)

        self._drawing = self._paper.slices(rows)
        return True

    def _go_on(self, now: int) -> None:
        assert self._drawing is not None
        try:
            next(self._drawing)
        except StopIteration:
            self._ended(now + self._rest_ms)
            self.drawn += 1
            self._remember(self._target)
            if self._is_picture():
                self._showing.is_shown(self._target)
        except (OSError, ValueError, EOFError) as error:
            self._ended(now if self._damaged else now + RETRY_MS)
            if self._is_picture():
                self._showing.is_not(self._damaged)
            if not self._damaged:
                self._log.error("the panel does not answer: %s" % error)
            self._damaged = False

    def _ended(self, next_ms: int) -> None:
        self._drawing = None
        if self._rows is not None:
            self._rows.close()  # its file, too
            self._rows = None
        self._next_ms = next_ms

    def _is_picture(self) -> bool:
        return not self._target.startswith("face")

    def _picture_rows(self) -> "Iterator[bytes]":
        self._rows = self._showing.rows()
        try:
            for band in self._rows:
                yield band
        except (OSError, ValueError, EOFError):
            self._damaged = True
            raise

    def _remember(self, shown: str) -> None:
        if shown == self.shown:
            return
        self.shown = shown
        try:
            self._port.save(KEY, shown.encode())
        except OSError as error:
            self._log.error("what the panel shows could not be stored: %r" % error)


def _name(face: Face) -> str:
    return "face %08x" % (binascii.crc32("\n".join(face.shown).encode()) & 0xFFFFFFFF)
