"""Nothing inverted, mirrored or upside down: what is drawn is what e-paper shows, by the readers it really has."""

import importlib.util
import struct
import sys
import types
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from edge.content.render import encoded, panel_named
from tests.unit.content.render.drawings import colours, corner

DRIVER = Path(__file__).parents[4] / "firmware" / "drivers" / "epd7in5.py"
SIZE = (800, 480)
PICTURES = {"drawing": corner(SIZE), "photo": colours(SIZE).convert("1")}


class Wire:
    """What a panel of 800x480 hears: its commands, each with the data behind it. As a pin it is always high."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bytearray]] = []
        self.is_data = 1

    def value(self, level: int | None = None) -> int:
        self.is_data = self.is_data if level is None else level
        return 1

    def write(self, data: bytes) -> None:
        if self.is_data:
            self.heard[-1][1].extend(data)
        else:
            self.heard.extend((command, bytearray()) for command in data)

    def ram(self, command: int) -> bytes:
        return b"".join(bytes(data) for said, data in self.heard if said == command)


@pytest.fixture
def driver(monkeypatch):
    """The driver of the firmware itself, with a panel that is a Wire."""
    for name, has in (("machine", ("SPI", "Pin")), ("outpost", ()), ("outpost.port", ("Paper",))):
        module = types.ModuleType(name)
        vars(module).update({one: type(one, (), {}) for one in has})
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("epd7in5", DRIVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ticks = iter(range(0, 10**9, 1000))
    module.time = types.SimpleNamespace(
        sleep_ms=lambda ms: None, ticks_ms=lambda: next(ticks), ticks_diff=lambda later, earlier: later - earlier
    )
    return module


@pytest.mark.parametrize("name", PICTURES)
def test_our_firmware_shows_what_was_drawn(driver, name):
    picture = PICTURES[name]
    rows = zlib.decompress(encoded(picture, panel_named("eink-800x480")).data, 10)
    wire, quiet = Wire(), Wire()
    paper = driver.Epd7in5(spi=wire, cs=quiet, dc=wire, rst=quiet, busy=quiet)
    for _ in paper.slices(lambda: (rows[at : at + 1600] for at in range(0, len(rows), 1600))):
        pass
    ram = wire.ram(driver.NEW_PICTURE)
    assert len(ram) == 48_000
    shown = Image.frombytes("1", SIZE, ram)  # there a set bit is black: it is the negative of what is seen
    assert ImageChops.invert(shown.convert("L")).tobytes() == picture.convert("L").tobytes()
    assert Image.frombytes("1", SIZE, wire.ram(driver.OLD_PICTURE)).tobytes() == picture.tobytes()


@pytest.mark.parametrize("name", PICTURES)
def test_a_reader_of_bitmaps_that_checks_nothing_shows_what_was_drawn(name):
    """As the older boards do it: BM, the offset at byte 10, 48,000 bytes from there, rows flipped, set is white."""
    picture = PICTURES[name]
    data = encoded(picture, panel_named("bmp-800x480")).data
    assert len(data) == 48_062
    assert data[:2] == b"BM"
    offset = int.from_bytes(data[10:14], "little")
    pixels = data[offset : offset + min(len(data) - offset, 48_000)]
    rows = [pixels[at : at + 100] for at in range(0, 48_000, 100)]
    assert Image.frombytes("1", SIZE, b"".join(reversed(rows))).tobytes() == picture.tobytes()


def test_the_bitmaps_header_is_what_all_readers_take():
    data = encoded(PICTURES["drawing"], panel_named("bmp-800x480")).data
    said = struct.unpack_from("<2sIHHIIiiHHIIiiII", data)
    assert said[:5] == (b"BM", 48_062, 0, 0, 62)
    assert said[5:12] == (40, 800, 480, 1, 1, 0, 48_000)  # bottom up, one plane of one bit, not compressed
    assert said[14] == 2  # colours
    assert data[54:62] == bytes((0, 0, 0, 0, 255, 255, 255, 0))  # black, then white


@pytest.mark.parametrize("width", [16, 31, 33, 122, 212])
def test_rows_of_bitmaps_are_padded_to_four_bytes(width):
    picture = corner((width, 20))
    data = encoded(picture, panel_named(f"bmp-{width}x20")).data
    row = (width + 31) // 32 * 4
    assert len(data) == 62 + 20 * row
    first = data[-row:][: (width + 7) // 8]  # the last row is the top one
    assert Image.frombytes("1", (width, 1), first).tobytes() == picture.crop((0, 0, width, 1)).tobytes()
