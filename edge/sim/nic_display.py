"""A virtual old payment display: what its firmware does with the bytes of its serial line.

The device itself (`OldDisplay`) is pure: bytes and a time in, bytes out. Its faults are those met in the field.
"""

from __future__ import annotations

import msgspec

IDLE_S = 2.0  # a half transfer is dropped after so long without a byte, else it would swallow commands for ever
FLASH_KB = 1240  # what freeSize tells when nothing is stored
LINE_BYTES_MAX = 256
CHIP_MODEL = b"ESP32 Chip model = 9, Rev 0\r\n"
BANNER = (
    b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    b"configsip: 0, SPIWP:0xee\r\nmode:DIO, clock div:1\r\nload:0x3fff0030,len:1344\r\nentry 0x400805e4\r\n"
)
DOWNLOAD_BANNER = b"rst:0x1 (POWERON_RESET),boot:0x3 (DOWNLOAD_BOOT(UART0/UART1))\r\nwaiting for download\r\n"


class Faults(msgspec.Struct):
    """What is wrong with it."""

    mute: bool = False  # it never says anything
    no_exit: bool = False  # it says "start" and forgets "exit"
    refuses: bool = False  # it has no room
    lost_oks: set[int] = msgspec.field(default_factory=set)  # parts, counted from 1, whose ok is lost, once each
    garbage: bytes = b""  # said before each answer
    download_mode: bool = False  # BOOT was held: the ROM answers, not the display
    line_end: bytes = b"\r\n"


class OldDisplay:
    """The device. `pictures` is its flash, `shown` what stands on its screen while it does not rotate."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.pictures: dict[str, bytes] = {}
        self.rotating = True
        self.shown: bytes = b""
        self.heard_lines: list[str] = []
        self.aborted = 0
        self._line = bytearray()
        self._transfer: _Transfer | None = None
        self._last_s = 0.0

    @property
    def is_receiving(self) -> bool:
        """Whether it takes everything for a picture now."""
        return self._transfer is not None

    def boot(self) -> bytes:
        """Power comes on: all but the flash is forgotten. Returns what it says."""
        self._line.clear()
        self._transfer, self.rotating = None, True
        return DOWNLOAD_BANNER if self.faults.download_mode else BANNER

    def feed(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive; what it answers."""
        self.tick(now_s)
        self._last_s = now_s
        if self.faults.download_mode:
            return CHIP_MODEL
        answer = bytearray()
        while data:
            data = self._receive(data, answer) if self._transfer else self._read_line(data, answer)
        return b"" if self.faults.mute or not answer else self.faults.garbage + bytes(answer)

    def tick(self, now_s: float) -> bytes:
        """Time passes: a half transfer is dropped. It says nothing by itself."""
        if self._transfer is not None and now_s - self._last_s > IDLE_S:
            self._transfer = None
            self.aborted += 1
        return b""

    def _receive(self, data: bytes, answer: bytearray) -> bytes:
        transfer = self._transfer
        if transfer is None:
            return data
        taken, rest = data[: transfer.part_left], data[transfer.part_left :]
        transfer.picture += taken
        if not transfer.part_left or transfer.is_complete:
            transfer.part += 1
            if transfer.part in self.faults.lost_oks:
                self.faults.lost_oks.discard(transfer.part)
            else:
                answer += self._said("ok")
        if transfer.is_complete:
            self.pictures[transfer.name] = self.shown = bytes(transfer.picture)
            self._transfer = None
        return rest

    def _read_line(self, data: bytes, answer: bytearray) -> bytes:
        head, end, rest = data.partition(b"\n")
        self._line = (self._line + head)[-LINE_BYTES_MAX:]
        if end:
            line = self._line.decode("utf-8", "ignore").strip()
            self._line.clear()
            if line:
                self.heard_lines.append(line)
                answer += self._obey(line)
        return rest

    def _obey(self, line: str) -> bytes:
        word, *arguments = line.split("**")
        match word.lower():
            case "sending" if len(arguments) == 3 and arguments[1].isdigit() and arguments[2].isdigit():
                return self._begin(arguments[0], int(arguments[1]), int(arguments[2]))
            case "freesize":
                used = sum(len(picture) for picture in self.pictures.values())
                return self._said(f"{FLASH_KB - used // 1024} exit")
            case "fileinfo":
                return self._said(*self.pictures, "exit")
            case "stoprotation":
                self.rotating = False
            case "startrotation":
                self.rotating = True
        return b""

    def _begin(self, name: str, size: int, part: int) -> bytes:
        if self.faults.refuses or not size or not part:
            return self._said("no space", "exit")
        self._transfer = _Transfer(name, size, part)
        return self._said("start") if self.faults.no_exit else self._said("start", "exit")

    def _said(self, *lines: str) -> bytes:
        return b"".join(line.encode() + self.faults.line_end for line in lines)


class _Transfer:
    """A picture that is arriving."""

    def __init__(self, name: str, size: int, part_bytes: int) -> None:
        self.name, self.size, self.part_bytes = name, size, part_bytes
        self.picture = bytearray()
        self.part = 0  # how many parts have arrived

    @property
    def is_complete(self) -> bool:
        return len(self.picture) >= self.size

    @property
    def part_left(self) -> int:
        """Bytes until the present part is full."""
        return min((self.part + 1) * self.part_bytes, self.size) - len(self.picture)
