"""TFT controllers of the MIPI DCS family over 4-wire SPI: commands, a drawing window, 1-bit rows into pixels."""

import time

from machine import SPI, Pin

from outpost.port import Panel

try:
    from collections.abc import Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

SOFTWARE_RESET = 0x01
SLEEP_OUT = 0x11
INVERT_ON = 0x21
DISPLAY_ON = 0x29
COLUMNS = 0x2A
ROWS = 0x2B
MEMORY_WRITE = 0x2C
MEMORY_ACCESS = 0x36

BGR = 0x08
ROTATIONS = (0x40, 0x20, 0x80, 0xE0)  # of MEMORY_ACCESS, by quarter turns
RESET_MS = 120  # from a reset until the controller takes SLEEP_OUT, and from that until it takes more
PULSE_MS = 10
ROWS_A_SLICE = 8  # about 5 ms: 1 ms on the bus at 40 MHz and the rest in Python


class SpiPanel(Panel):
    """A panel of 320x480. A controller's file gives `SETUP` and the bytes of a pixel."""

    SETUP = ()  # type: tuple[tuple[int, bytes], ...]
    PIXEL_BYTES = 2

    def __init__(
        self, spi: SPI, cs: Pin, dc: Pin, rst: "Pin | None", *, rotation: int, bgr: bool, invert: bool
    ) -> None:
        self._spi = spi
        self._cs = cs
        self._dc = dc
        if rotation & 1:
            self.width, self.height = 480, 320
        self._eight = _expansions(self.PIXEL_BYTES)
        self._line = bytearray(ROWS_A_SLICE * self.width * self.PIXEL_BYTES)
        self._reset(rst)
        for command, data in self.SETUP:
            self._command(command, data)
        self._command(MEMORY_ACCESS, bytes((ROTATIONS[rotation & 3] | (BGR if bgr else 0),)))
        if invert:
            self._command(INVERT_ON)
        self._command(SLEEP_OUT)
        time.sleep_ms(RESET_MS)
        self._command(DISPLAY_ON)

    def slices(self, picture: bytearray) -> "Iterator[None]":
        """Draw from the top, ROWS_A_SLICE at a time. Nothing else may speak to the controller meanwhile."""
        self._window()
        stride = self.width // 8
        step = ROWS_A_SLICE * stride
        size = 8 * self.PIXEL_BYTES
        eight, line = self._eight, memoryview(self._line)
        for at in range(0, len(picture), step):
            end = 0
            for byte in picture[at : at + step]:
                line[end : end + size] = eight[byte]
                end += size
            self._data(line[:end])
            yield

    def _window(self) -> None:
        """The whole panel; the pixels that follow fill it row by row."""
        self._command(COLUMNS, b"\0\0" + (self.width - 1).to_bytes(2, "big"))
        self._command(ROWS, b"\0\0" + (self.height - 1).to_bytes(2, "big"))
        self._command(MEMORY_WRITE)

    def _reset(self, rst: "Pin | None") -> None:
        if rst is not None:
            rst.value(0)
            time.sleep_ms(PULSE_MS)
            rst.value(1)
            time.sleep_ms(RESET_MS)
        self._command(SOFTWARE_RESET)
        time.sleep_ms(RESET_MS)

    def _command(self, command: int, data: bytes = b"") -> None:
        self._dc.value(0)
        self._cs.value(0)
        self._spi.write(bytes((command,)))
        self._cs.value(1)
        if data:
            self._data(data)

    def _data(self, data: "bytes | memoryview") -> None:
        """Pixels go on where the last left off, so a picture may come in several of these."""
        self._dc.value(1)
        self._cs.value(0)
        self._spi.write(data)
        self._cs.value(1)


def _expansions(pixel_bytes: int) -> "list[bytes]":
    """For each byte of a 1-bit row, its eight pixels."""
    white, black = b"\xff" * pixel_bytes, b"\0" * pixel_bytes
    return [b"".join([white if byte & 0x80 >> i else black for i in range(8)]) for byte in range(256)]
