"""Sitronix ST7796S: 16 bits a pixel."""

from drivers.spi_panel import SpiPanel


class ST7796(SpiPanel):
    """A 320x480 panel with this controller."""

    PIXEL_BYTES = 2
    SETUP = (
        (0xF0, b"\xc3"),  # unlock command set 2, in two steps
        (0xF0, b"\x96"),
        (0x3A, b"\x55"),  # 16 bits a pixel
        (0xB4, b"\x01"),  # 1-dot inversion
        (0xB6, b"\x80\x02\x3b"),  # scan direction, 480 lines
        (0xE8, b"\x40\x8a\x00\x00\x29\x19\xa5\x33"),  # output timing
        (0xC1, b"\x06"),  # VAP and VAN
        (0xC2, b"\xa7"),  # source driving current
        (0xC5, b"\x18"),  # VCOM
        (0xE0, b"\xf0\x09\x0b\x06\x04\x15\x2f\x54\x42\x3c\x17\x14\x18\x1b"),  # gamma, positive
        (0xE1, b"\xe0\x09\x0b\x06\x04\x03\x2b\x43\x42\x3b\x16\x14\x17\x1b"),  # gamma, negative
        (0xF0, b"\x3c"),  # lock it again
        (0xF0, b"\x69"),
    )
