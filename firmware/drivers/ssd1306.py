"""The SSD1306, an OLED of 128x64 on I2C. Its memory is laid out as `Oled` has it, so bytes go as they are."""

from machine import I2C, Pin

from outpost.port import Oled

try:
    from collections.abc import Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

CONTROLLER = 0
HZ = 400000  # a band takes 3 ms
TIMEOUT_US = 5000  # on a bus that somebody holds
COMMANDS, DATA = b"\x00", b"\x40"
COLUMNS, BANDS = 0x21, 0x22  # what the bytes that follow fill
SETUP = bytes((
    0xAE,  # off, while it is set up
    0xD5, 0x80,  # clock
    0xA8, 63,  # rows, less one
    0xD3, 0,  # no offset
    0x40,  # from row 0 on
    0x8D, 0x14,  # its own charge pump
    0x20, 0x00,  # fill along a band, then the next
    0xA1, 0xC8,  # column and row 0 are at the top left when the pins are on top
    0xDA, 0x12,  # how the rows are wired
    0x81, 0x5F,  # brightness: some, as it shows the same for years
    0xD9, 0xF1, 0xDB, 0x30,  # charging times, as its maker has them for this pump
    0xA4, 0xA6,  # show the memory, set bits lit
    0x2E,  # no scrolling
    0xAF,  # on
))  # fmt: skip


class SSD1306(Oled):
    """One on a bus of its own."""

    def __init__(self, sda: int, scl: int, address: int) -> None:
        self._bus = I2C(CONTROLLER, sda=Pin(sda), scl=Pin(scl), freq=HZ, timeout=TIMEOUT_US)
        self._address = address

    def start(self) -> None:
        self._bus.writeto(self._address, COMMANDS + SETUP)

    def slices(self, picture: bytearray, bands: "list[int]") -> "Iterator[None]":
        view = memoryview(picture)
        for band in bands:
            place = bytes((COLUMNS, 0, self.width - 1, BANDS, band, band))
            self._bus.writeto(self._address, COMMANDS + place)
            self._bus.writevto(self._address, (DATA, view[band * self.width : (band + 1) * self.width]))
            yield
