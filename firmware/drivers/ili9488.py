"""ILITEK ILI9488: over SPI it takes 18 bits a pixel only, in three bytes."""

from drivers.spi_panel import SpiPanel


class ILI9488(SpiPanel):
    """A 320x480 panel with this controller."""

    PIXEL_BYTES = 3
    SETUP = (
        (0xE0, b"\x00\x03\x09\x08\x16\x0a\x3f\x78\x4c\x09\x0a\x08\x16\x1a\x0f"),  # gamma, positive
        (0xE1, b"\x00\x16\x19\x03\x0f\x05\x32\x45\x46\x04\x0e\x0d\x35\x37\x0f"),  # gamma, negative
        (0xC0, b"\x17\x15"),  # VREG1OUT and VREG2OUT
        (0xC1, b"\x41"),  # VGH and VGL
        (0xC5, b"\x00\x12\x80"),  # VCOM
        (0x3A, b"\x66"),  # 18 bits a pixel
        (0xB0, b"\x00"),  # interface: SDO in use
        (0xB1, b"\xa0"),  # 60 frames a second
        (0xB4, b"\x02"),  # 2-dot inversion
        (0xB6, b"\x02\x02\x3b"),  # scan direction, 480 lines
        (0xF7, b"\xa9\x51\x2c\x82"),  # adjustment 3, as the maker's notes have it
    )
