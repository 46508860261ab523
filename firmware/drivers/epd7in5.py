"""The 7.5" e-paper panel of 800x480 with controller UC8179 (Waveshare's V2), black and white, drawn whole.

What is sent is their own C driver's full set-up of December 2023, its booster among it: without that the picture
fades. BUSY is low while the panel works. It is waited for, but never for ever: a panel that is not there is told.
After each picture the panel sleeps, as it must not be left under voltage; only its reset wakes it. Where a pin
switches its power it gets some for a picture only, and no line feeds it meanwhile.
"""

import errno
import time

from machine import SPI, Pin

from outpost.port import Paper

try:
    from collections.abc import Callable, Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

POWER_ON, POWER_OFF, SLEEP = 0x04, 0x02, 0x07
OLD_PICTURE, NEW_PICTURE, REFRESH = 0x10, 0x13, 0x12
VCOM_AND_INTERVAL = 0x50
SLEEP_CHECK = b"\xa5"
BORDER_OFF = b"\xf7"
SETUP = (
    (0x01, b"\x07\x07\x3f\x3f"),  # power: +-15 V
    (0x06, b"\x17\x17\x28\x17"),  # booster
)
PICTURE_SETUP = (
    (0x00, b"\x1f"),  # black and white, waveforms of its own memory
    (0x61, b"\x03\x20\x01\xe0"),  # 800 x 480
    (0x15, b"\x00"),  # one SPI line
    (VCOM_AND_INTERVAL, b"\x10\x07"),
    (0x60, b"\x22"),
)
RESET_MS, PULSE_MS = 20, 2
POWER_MS = 100  # before BUSY means anything, after power is on and after a refresh has begun
POWER_TIMEOUT_MS = 5000
REFRESH_TIMEOUT_MS = 15000  # it takes four seconds in the warm, and more in the cold


class Epd7in5(Paper):
    """One on an SPI of its own."""

    def __init__(self, spi: SPI, cs: Pin, dc: Pin, rst: Pin, busy: Pin, power: "Pin | None" = None) -> None:
        self._spi = spi
        self._cs = cs
        self._dc = dc
        self._rst = rst
        self._busy = busy
        self._power = power

    def slices(self, rows: "Callable[[], Iterator[bytes]]") -> "Iterator[None]":
        try:
            for _ in self._slices(rows):
                yield
        finally:
            self._switch(False)

    def _slices(self, rows: "Callable[[], Iterator[bytes]]") -> "Iterator[None]":
        self._switch(True)
        for _ in self._wake():
            yield
        self._command(OLD_PICTURE)
        for piece in rows():
            self._data(piece)
            yield
        self._command(NEW_PICTURE)
        for piece in rows():
            self._data(bytes([byte ^ 0xFF for byte in piece]))  # a set bit is black there
            yield
        self._command(REFRESH)
        for _ in self._idle(REFRESH_TIMEOUT_MS):
            yield
        self._command(VCOM_AND_INTERVAL, BORDER_OFF)
        self._command(POWER_OFF)
        for _ in self._idle(POWER_TIMEOUT_MS):
            yield
        self._command(SLEEP, SLEEP_CHECK)

    def _wake(self) -> "Iterator[None]":
        for level, ms in ((1, RESET_MS), (0, PULSE_MS), (1, RESET_MS)):
            self._rst.value(level)
            time.sleep_ms(ms)
        for command, data in SETUP:
            self._command(command, data)
        self._command(POWER_ON)
        for _ in self._idle(POWER_TIMEOUT_MS):
            yield
        for command, data in PICTURE_SETUP:
            self._command(command, data)

    def _switch(self, on: bool) -> None:
        if self._power is None:
            return
        for line in (self._cs, self._rst, self._dc):
            line.value(1 if on and line is not self._dc else 0)
        self._power.value(1 if on else 0)
        if on:
            time.sleep_ms(RESET_MS)

    def _idle(self, timeout_ms: int) -> "Iterator[None]":
        """Until the panel has done what it was told. Raises OSError when that takes too long."""
        began = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), began) < POWER_MS:
            yield
        while not self._busy.value():
            if time.ticks_diff(time.ticks_ms(), began) >= timeout_ms:
                raise OSError(errno.ETIMEDOUT)
            yield

    def _command(self, command: int, data: bytes = b"") -> None:
        self._dc.value(0)
        self._cs.value(0)
        self._spi.write(bytes((command,)))
        self._cs.value(1)
        if data:
            self._data(data)

    def _data(self, data: bytes) -> None:
        self._dc.value(1)
        self._cs.value(0)
        self._spi.write(data)
        self._cs.value(1)
