"""The ESP32's panels, as its settings tell of them, and what reads tags beside one."""

from machine import SPI, Pin

from drivers.spi_panel import SpiPanel
from outpost import config
from outpost.port import Paper, TagReader


def panel(settings: "dict[str, object]") -> SpiPanel:
    """The panel the settings tell of. Raises KeyError for a controller that is not here."""
    number = {key: int(str(value)) for key, value in settings.items() if isinstance(value, int)}
    spi = SPI(
        number["spi"],
        baudrate=number["spi_hz"],
        polarity=0,
        phase=0,
        sck=Pin(number["sck"]),
        mosi=Pin(number["mosi"]),
    )
    cs = Pin(number["cs"], Pin.OUT, value=1)
    dc = Pin(number["dc"], Pin.OUT, value=0)
    rst = Pin(number["rst"], Pin.OUT, value=1) if number["rst"] >= 0 else None
    made = _controller(str(settings["panel"]))(
        spi, cs, dc, rst,
        rotation=number["rotation"], bgr=bool(settings["bgr"]), invert=bool(settings["invert"]),
    )  # fmt: skip
    if number["backlight"] >= 0:
        Pin(number["backlight"], Pin.OUT, value=1)
    return made


def paper(settings: "dict[str, object]") -> Paper:
    """The e-paper panel the settings tell of."""
    from drivers.epd7in5 import Epd7in5

    number = {
        key: config.number(settings, "epd_" + key, 0, 48) for key in ("sck", "mosi", "cs", "dc", "rst", "busy")
    }
    power = config.number(settings, "epd_power", -1, 33)
    spi = SPI(1, baudrate=4000000, polarity=0, phase=0, sck=Pin(number["sck"]), mosi=Pin(number["mosi"]))
    return Epd7in5(
        spi,
        Pin(number["cs"], Pin.OUT, value=1),
        Pin(number["dc"], Pin.OUT, value=0),
        Pin(number["rst"], Pin.OUT, value=1),
        Pin(number["busy"], Pin.IN),
        Pin(power, Pin.OUT, value=0) if power >= 0 else None,
    )


def tag_reader(settings: "dict[str, object]") -> "TagReader | None":
    """The PN532 the settings tell of."""
    sda, scl = [config.number(settings, key, -1, 33) for key in ("nfc_sda", "nfc_scl")]
    if sda < 0 or scl < 0:
        return None
    from machine import I2C

    from drivers.pn532 import PN532

    return PN532(I2C(0, sda=Pin(sda), scl=Pin(scl), freq=100000, timeout=50000))


def _controller(name: str) -> "type[SpiPanel]":
    """Only the driver that is needed takes memory."""
    if name == "st7796":
        from drivers.st7796 import ST7796

        return ST7796
    if name == "ili9488":
        from drivers.ili9488 import ILI9488

        return ILI9488
    raise KeyError(name)
