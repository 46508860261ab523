"""The stand-in for a board: a tty, a folder for flash, a PNG for the panel. On MicroPython's unix port or CPython.

    micropython ports/unix.py --variant display --tty PATH --flash DIR --png FILE
        [--chip 12HEX] [--width 320] [--height 480] [--baud N]

Exit codes: 0 after a `reboot` command, 2 for wrong arguments, 3 when the tty hung up, 1 for anything else.
"""

import binascii
import io
import os
import select
import sys
import termios
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0] if __file__.count("/") > 1 else ".." if "/" not in __file__ else ".")

from outpost.port import Inflate, LineGone, Panel, Port  # noqa: E402

MICROPYTHON = sys.implementation.name == "micropython"
EXIT_USAGE = 2
EXIT_HANGUP = 3
BAUD = 115200
BAUD_MAX = 460800
READ_BYTES = 512
ROWS_A_SLICE = 64
VTIME, VMIN = 5, 6  # places in the control characters, on Linux
BITS_PER_BYTE = 10
SPEEDS = {
    1200: 9,
    2400: 11,
    4800: 12,
    9600: 13,
    19200: 14,
    38400: 15,
    57600: 0o10001,
    115200: 0o10002,
    230400: 0o10003,
    460800: 0o10004,
    921600: 0o10007,
}  # Linux's numbers for the rates


class UnixPort(Port):
    """One tty and one folder."""

    def __init__(self, tty: str, flash: str, chip: str, baud: int) -> None:
        self.chip = chip
        self.files = flash
        self.baud = baud
        self.baud_max = max(baud, BAUD_MAX)
        self._nvs = flash + "/nvs"
        for folder in (flash, self._nvs):
            _make_folder(folder)
        # Read and write at once, unbuffered, and reads that return what there is.
        self._tty = open(tty, "r+b", buffering=0)
        self._poll = select.poll()
        self._poll.register(self._tty, select.POLLIN)
        self._room = select.poll()
        self._room.register(self._tty, select.POLLOUT)
        self._ticks = 0
        self._rate = baud
        self._sent_by_us = 0
        self._configure(baud)

    def passed_ms(self) -> int:
        if MICROPYTHON:
            now = time.ticks_ms()
            passed = time.ticks_diff(now, self._ticks)
        else:
            now = int(time.monotonic() * 1000)
            passed = now - self._ticks
        self._ticks = now
        return passed

    def wait(self, ms: int) -> bool:
        return bool(self._poll.poll(ms))

    def read(self) -> bytes:
        for _, events in self._poll.poll(0):
            if events & (select.POLLHUP | select.POLLERR):
                raise LineGone
        try:
            return self._tty.read(READ_BYTES) or b""
        except OSError:
            raise LineGone

    def write(self, data: bytes) -> None:
        if not self._room.poll(0):
            return  # nobody takes what we say: a UART would have said it to nobody
        view = memoryview(data)
        try:
            while view:
                view = view[self._tty.write(view) or 0 :]
        except OSError:
            raise LineGone
        now = self._now_us()
        self._sent_by_us = max(self._sent_by_us, now) + len(data) * BITS_PER_BYTE * 1000000 // self._rate

    def set_baud(self, baud: int) -> None:
        if baud not in SPEEDS:
            raise ValueError(baud)
        # A pty says nothing of bytes under way, so wait as long as a UART would need for them.
        time.sleep(max(0, self._sent_by_us - self._now_us()) / 1000000)
        self._configure(baud)

    def load(self, key: str) -> "bytes | None":
        try:
            with open(self._nvs + "/" + key, "rb") as file:
                return file.read()
        except OSError:
            return None

    def save(self, key: str, value: bytes) -> None:
        _replace(self._nvs + "/" + key, value)

    def inflate(self, source: io.BytesIO) -> Inflate:
        if MICROPYTHON:
            import deflate

            return deflate.DeflateIO(source, deflate.ZLIB)
        return _Inflate(source)

    def random(self, count: int) -> bytes:
        return os.urandom(count)

    def heap_free(self) -> int:
        if MICROPYTHON:
            import gc

            return gc.mem_free()
        return 0  # CPython's heap has no end of its own

    def reboot(self) -> None:
        sys.exit(0)

    def _configure(self, baud: int) -> None:
        fd = self._tty.fileno()
        if MICROPYTHON:
            termios.setraw(fd)
        else:
            import tty

            tty.setraw(fd)
        settings = termios.tcgetattr(fd)
        settings[4] = settings[5] = SPEEDS[baud]
        settings[6][VMIN] = 0
        settings[6][VTIME] = 0
        termios.tcsetattr(fd, termios.TCSANOW, settings)
        self._rate = baud

    def _now_us(self) -> int:
        return time.time_ns() // 1000


class _Inflate(Inflate):
    """CPython's zlib behind the interface of MicroPython's deflate."""

    def __init__(self, source: io.BytesIO) -> None:
        import zlib

        self._source = source
        self._inflater = zlib.decompressobj()
        self._error = zlib.error

    def readinto(self, buffer: memoryview) -> int:
        data = b""
        while not data and not self._inflater.eof:
            step = self._inflater.unconsumed_tail or self._source.read(READ_BYTES)
            if not step:
                raise EOFError
            try:
                data = self._inflater.decompress(step, len(buffer))
            except self._error as error:
                raise ValueError(str(error))
        buffer[: len(data)] = data
        return len(data)


class PngPanel(Panel):
    """A panel that is a PNG file: 1-bit grey, replaced whole, so a reader never sees half a picture."""

    def __init__(self, path: str, width: int, height: int) -> None:
        self._path = path
        self.width = width
        self.height = height

    def slices(self, picture: bytearray):
        """Write the file row by row, as a heap of a board's size has no room for it; pause now and then."""
        temporary = self._path + ".new"
        with open(temporary, "wb") as file:
            for i, piece in enumerate(self._pieces(picture)):
                file.write(piece)
                if i % ROWS_A_SLICE == 0:
                    yield
            _sync(file)
        os.rename(temporary, self._path)

    def _pieces(self, picture: bytearray):
        """The PNG's bytes, each row a stored block of zlib's: MicroPython inflates, but does not deflate."""
        stride = (self.width + 7) // 8
        header = self.width.to_bytes(4, "big") + self.height.to_bytes(4, "big") + b"\x01\x00\x00\x00\x00"
        yield b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
        yield (2 + self.height * (5 + 1 + stride) + 4).to_bytes(4, "big") + b"IDAT"
        crc = binascii.crc32(b"IDAT")
        adler = (1, 0)
        size = (stride + 1).to_bytes(2, "little") + ((stride + 1) ^ 0xFFFF).to_bytes(2, "little")
        for y in range(self.height):
            row = b"\0" + picture[y * stride : (y + 1) * stride]  # no filter
            adler = _adler32(row, adler)
            piece = (b"\x78\x01" if y == 0 else b"") + (b"\1" if y == self.height - 1 else b"\0") + size + row
            crc = binascii.crc32(piece, crc)
            yield piece
        end = (adler[1] << 16 | adler[0]).to_bytes(4, "big")
        yield end + (binascii.crc32(end, crc) & 0xFFFFFFFF).to_bytes(4, "big") + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    crc = binascii.crc32(data, binascii.crc32(name)) & 0xFFFFFFFF
    return len(data).to_bytes(4, "big") + name + data + crc.to_bytes(4, "big")


def _adler32(data: bytes, sums: "tuple[int, int]") -> "tuple[int, int]":
    """RFC 1950, continued from `sums`. A row is short enough to take the remainders once."""
    low, high = sums
    for byte in data:
        low += byte
        high += low
    return low % 65521, high % 65521


def _replace(path: str, data: bytes) -> None:
    """Temp, flush, rename: the old content or the new."""
    temporary = path + ".new"
    with open(temporary, "wb") as file:
        file.write(data)
        _sync(file)
    os.rename(temporary, path)


def _sync(file) -> None:
    """To the disk. MicroPython's flush is an fsync; CPython needs to be told."""
    file.flush()
    if not MICROPYTHON:
        os.fsync(file.fileno())


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path)
    except OSError:
        os.listdir(path)  # it is there already, or this raises


def _options(arguments: "list[str]") -> "dict[str, str]":
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
    }
    if len(arguments) % 2:
        raise ValueError("every option takes one value")
    for name, value in zip(arguments[::2], arguments[1::2]):
        if not name.startswith("--") or name[2:] not in options:
            raise ValueError("unknown option " + name)
        options[name[2:]] = value
    for name in ("tty", "flash", "png"):
        if not options[name]:
            raise ValueError("--%s is missing" % name)
    if options["variant"] != "display":
        raise ValueError("unknown variant " + options["variant"])
    if options["baud"] and int(options["baud"]) not in SPEEDS:
        raise ValueError("no such rate: " + options["baud"])
    return options


def _chip_of(flash: str) -> str:
    """An id made from the folder's name: locally administered, the same at every start."""
    crc = binascii.crc32(flash.encode()) & 0xFFFFFFFF
    return ("02" + "00" + binascii.hexlify(crc.to_bytes(4, "big")).decode()).upper()


def main() -> int:
    """Run the variant until the line goes."""
    try:
        options = _options(sys.argv[1:])
    except ValueError as error:
        sys.stderr.write("unix.py: %s\n" % error)
        return EXIT_USAGE
    from variants.display.app import Display

    flash = options["flash"].rstrip("/")
    chip = (options["chip"] or _chip_of(flash)).upper()
    try:
        port = UnixPort(options["tty"], flash, chip, int(options["baud"] or BAUD))
        Display(port, PngPanel(options["png"], int(options["width"]), int(options["height"]))).run()
    except LineGone:
        return EXIT_HANGUP
    return 0


if __name__ == "__main__":
    sys.exit(main())
