"""What a virtual board is told on its command line; ports/unix.py explains it."""

import binascii

VARIANTS = ("display", "base", "blink", "eink", "logger", "sensor", "vending")
SPEEDS = {
    1200: 9, 2400: 11, 4800: 12, 9600: 13, 19200: 14, 38400: 15, 57600: 0o10001, 115200: 0o10002, 230400: 0o10003,
    460800: 0o10004, 921600: 0o10007,
}  # fmt: skip  # Linux's numbers for the rates


def read(arguments: "list[str]") -> "dict[str, str]":
    """`--name value` pairs over the defaults. Raises ValueError."""
    options = {
        "variant": "display",
        "chip": "",
        "width": "320",
        "height": "480",
        "baud": "",
        "tty": "",
        "flash": "",
        "png": "",
        "network": "",
        "halt": "",
        "portal": "0:0",
        "layout": "",
        "cause": "",
    }
    if len(arguments) % 2:
        raise ValueError("every option takes one value")
    for name, value in zip(arguments[::2], arguments[1::2]):
        if not name.startswith("--") or name[2:] not in options:
            raise ValueError("unknown option " + name)
        options[name[2:]] = value
    needs_png = options["variant"] == "display" and not options["layout"]
    for name in ("tty", "flash", "png") if needs_png else ("tty", "flash"):
        if not options[name]:
            raise ValueError("--%s is missing" % name)
    if options["variant"] not in VARIANTS:
        raise ValueError("unknown variant " + options["variant"])
    if options["baud"] and int(options["baud"]) not in SPEEDS:
        raise ValueError("no such rate: " + options["baud"])
    return options


def chip_of(flash: str) -> str:
    """An id made from the folder's name: locally administered, the same at every start."""
    crc = binascii.crc32(flash.encode()) & 0xFFFFFFFF
    return ("02" + "00" + binascii.hexlify(crc.to_bytes(4, "big")).decode()).upper()
