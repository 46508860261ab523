"""The small screen: which machines run and since when, how the hub stands, and what to type to reach the board.

Eight lines of 21 characters. In each round of the main loop one of them is looked at, and after all eight those
that have changed are sent, one in a round, so that the inputs are looked at in between.
"""

from outpost import font
from outpost.clock import Clock
from outpost.dates import iso
from outpost.log import Log
from outpost.port import Oled
from variants.logger.runs import UNKNOWN, Input
from variants.logger.words import AWAY, CONNECTED, PENDING, Board, span

try:
    from collections.abc import Callable, Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

LINES = 8
CHARACTERS = 21  # of six pixels
HUB_LINE, WAITING_LINE, CODE_LINE = 0, 1, 6  # and the last is the address
FIRST_INPUT = 2  # line
INPUT_LINES = 4
RETRY_MS = 30000  # for one that does not answer: unplugged, or never there
HUB = {CONNECTED: "HUB OK", PENDING: "NOT APPROVED", AWAY: "HUB AWAY"}
MARKS = {True: "R", False: "S", UNKNOWN: "?"}  # type: dict[bool | str, str]
WORDS = {True: "RUN ", False: "STOP", UNKNOWN: " ?  "}  # type: dict[bool | str, str]


class Display:
    """`tick` drives it. A line is its text and the places in it of what runs, which is shown dark on lit."""

    def __init__(
        self, oled: Oled, clock: Clock, log: Log, board: "Callable[[], Board]", code: "Callable[[], str]"
    ) -> None:
        self._oled = oled
        self._clock = clock
        self._log = log
        self._ask = board
        self._code = code
        self._board = board()
        self._picture = bytearray(oled.width * LINES)
        self._shown = [("", [])] * LINES  # type: list[tuple[str, list[int]]]
        self._next = 0  # the line to look at
        self._changed = []  # type: list[int]
        self._drawing = None  # type: Iterator[None] | None
        self._due_ms = 0
        self.present = False

    def tick(self) -> None:
        """Look at one line, or send one of those that have changed."""
        try:
            if self._drawing is not None:
                self._go_on(self._drawing)
            elif self.present:
                self._look()
            elif self._clock.ms() >= self._due_ms:
                self._begin()
        except OSError as error:
            if self.present:
                self._log.error("the OLED does not answer: %s" % error)
            self.present = False
            self._drawing = None
            self._due_ms = self._clock.ms() + RETRY_MS

    def _begin(self) -> None:
        """Switch it on, and draw all of it."""
        self._oled.start()
        self.present = True
        self._next = 0
        self._shown = [("\n", [])] * LINES  # no line is so

    def _look(self) -> None:
        number = self._next
        if number == 0:
            self._board = self._ask()
            self._changed = []
        line = composed(self._board, self._code(), number)
        if line != self._shown[number]:
            draw(self._picture, self._oled.width, number, line)
            self._shown[number] = line
            self._changed.append(number)
        self._next = (number + 1) % LINES
        if self._changed and self._next == 0:
            self._drawing = iter(self._oled.slices(self._picture, self._changed))

    def _go_on(self, drawing: "Iterator[None]") -> None:
        for _ in drawing:
            return
        self._drawing = None


def composed(board: Board, code: str, number: int) -> "tuple[str, list[int]]":
    """A line: text, and the places in it of what runs."""
    if number == HUB_LINE:
        clock = iso(board.now_us)[11:16] + "Z" if board.now_us else "--:--"
        return _plain("%-15s%6s" % (HUB[board.hub], clock))
    if number == WAITING_LINE:
        return _plain("%d RECORDS WAITING" % board.waiting if board.waiting else "")
    if number < CODE_LINE:
        return _inputs(board, number - FIRST_INPUT)
    if number == CODE_LINE:
        return _plain("PAIR " + board.code if board.code else "CODE " + code if code else "")
    return _plain(board.address or board.title)


def _inputs(board: Board, place: int) -> "tuple[str, list[int]]":
    inputs = board.runs.inputs
    if place >= len(inputs):
        return _plain("")
    if len(inputs) <= INPUT_LINES:
        return _wide(inputs[place], board.now)
    right = place + INPUT_LINES
    return _pair(inputs[place], inputs[right] if right < len(inputs) else None, board.now)


def draw(picture: bytearray, width: int, line: int, what: "tuple[str, list[int]]") -> None:
    """Put a line into a picture of bands, a pixel from the left, so that what is lit has an edge there too."""
    text, lit = what
    columns = bytearray(width)
    for place, character in enumerate(text[:CHARACTERS]):
        at = 1 + place * (font.COLUMNS + 1)
        columns[at : at + font.COLUMNS] = font.glyph(character)
        if place in lit:
            first = at if place - 1 in lit else at - 1
            for i in range(first, at + font.COLUMNS + 1):
                columns[i] ^= 0xFF
    picture[line * width : (line + 1) * width] = columns


def _plain(text: str) -> "tuple[str, list[int]]":
    return text[:CHARACTERS], []


def _wide(input: Input, now: int) -> "tuple[str, list[int]]":
    """One input on a line."""
    if input.state is None:
        return _plain("%-12s ..." % input.name[:12])
    lit = [13, 14, 15, 16] if input.state is True else []
    return "%-12s %s %s" % (input.name[:12], WORDS[input.state], span(now - input.since_ms)), lit


def _pair(left: Input, right: "Input | None", now: int) -> "tuple[str, list[int]]":
    """Two inputs on a line."""
    text = "%-11s%s" % (_narrow(left, now), _narrow(right, now) if right is not None else "")
    lit = [6] if left.state is True else []
    return text, lit + [17] if right is not None and right.state is True else lit


def _narrow(input: Input, now: int) -> str:
    if input.state is None:
        return "%-5s ..." % input.name[:5]
    return "%-5s %s%s" % (input.name[:5], MARKS[input.state], span(now - input.since_ms))
