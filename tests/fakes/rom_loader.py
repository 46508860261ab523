"""What an ESP32 says in download mode: the loader in its ROM, the stub that esptool puts into its RAM, and its
flash.

Bytes in, bytes out; what carries them is the caller's (`usb_board.py` has a pty). The flash is real memory with
the ways of a flash: erasing makes ones, writing only zeroes, so a place that was not erased comes out wrong. The
stub is not run: once esptool has started one, this answers as esptool's own does (two status bytes in place of
four, whole flash erased, reading by sectors).

What it says follows esptool's document "serial protocol" and what esptool 5 asks.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable
from functools import reduce

import msgspec

SECTOR = 4096
END, ESCAPE = 0xC0, 0xDB
CHECKSUM_SEED = 0xEF
SLOW_READ_BYTES = 64
ROM_RATE = 115_200
SYNCED_ROM, SYNCED_STUB = 0x20120707, 0  # what a sync is answered with
FAILED_CHECKSUM, UNKNOWN = 0x07, 0x05  # the reasons of an error

MAGIC_ADDRESS, MAGIC = 0x40001000, {"esp32": 0x00F01D83, "esp32c3": 0x6921506F}
CHIP_IDS = {"esp32c3": 5}  # of those whose ROM tells it; the ESP32's does not know the question
FLASH_ID_ADDRESS, FLASH_4MB = 0x3FF42080, 0x164020
CLOCK_ADDRESS, CLOCK_40_MHZ = 0x3FF40014, 347
MAC_LOW_ADDRESS, MAC_HIGH_ADDRESS = 0x3FF5A004, 0x3FF5A008


class Faults(msgspec.Struct):
    """What goes wrong. Counts go down as they happen."""

    mute: bool = False  # it answers nothing
    wrong_md5: int = 0  # so often what it read back is another
    silent_after: int | None = None  # so many bytes written, then it answers no more: once
    spoils: int = 0  # so many blocks arrive with a flipped bit
    rate_max: int = 4_000_000  # a faster line comes to nothing: a bad cable
    no_stub: bool = False  # its RAM is bad: the stub never says hello


class RomLoader:
    """One chip in download mode. `run` is called when it is told to start its program."""

    def __init__(
        self,
        *,
        chip: str = "esp32",
        mac: str = "246f28a1b2c3",
        size: int = 4 << 20,
        faults: Faults | None = None,
        run: Callable[[], None] = lambda: None,
    ) -> None:
        self.chip, self.mac, self.faults = chip, mac, faults or Faults()
        self.flash = bytearray(b"\xff" * size)
        self.erased = 0  # times the whole of it was
        self.asked: list[int] = []  # every operation
        self._run = run
        self._registers = {
            MAGIC_ADDRESS: MAGIC[chip],
            FLASH_ID_ADDRESS: FLASH_4MB,
            CLOCK_ADDRESS: CLOCK_40_MHZ,
            MAC_LOW_ADDRESS: int(mac[4:], 16),
            MAC_HIGH_ADDRESS: int(mac[:4], 16),
        }
        self.reset()

    def reset(self) -> None:
        """As after a reset with the boot button held: the ROM listens, and nothing of the stub is left."""
        self.stub = False
        self.rate = ROM_RATE
        self._frame: bytearray | None = None
        self._escaped = False
        self._at = 0
        self._inflate: zlib._Decompress | None = None
        self._written = 0
        self._lost = False

    def feed(self, data: bytes, rate: int) -> bytes:
        """Take what the host said at `rate` bits/s; what is answered."""
        if self.faults.mute or self._lost or rate != self.rate or rate > self.faults.rate_max:
            return b""
        answers = bytearray()
        for byte in data:
            request = self._take(byte)
            if request is not None:
                answers += self._answer(request)
        return b"" if self._lost else bytes(answers)

    def _take(self, byte: int) -> bytes | None:
        """Undo SLIP; a whole packet at its end."""
        if byte == END:
            frame, self._frame = self._frame, bytearray()
            if frame:
                self._frame = None
                return bytes(frame)
            return None
        if self._frame is None:
            return None
        if self._escaped:
            self._frame.append({0xDC: END, 0xDD: ESCAPE}.get(byte, byte))
            self._escaped = False
        elif byte == ESCAPE:
            self._escaped = True
        else:
            self._frame.append(byte)
        return None

    def _answer(self, request: bytes) -> bytes:
        if len(request) < 8 or request[0] != 0:
            return b""  # the host's counts while it reads flash
        op, size, check = struct.unpack_from("<xBHI", request)
        data = request[8 : 8 + size]
        self.asked.append(op)
        handler = OPERATIONS.get(op)
        if handler is None or (op >= 0xD0 and not self.stub):
            return self._say(op, error=UNKNOWN)
        return handler(self, op, data, check)

    def _say(self, op: int, value: int = 0, data: bytes = b"", error: int = 0) -> bytes:
        status = bytes([bool(error), error]) + (b"" if self.stub else b"\0\0")
        body = data + status
        return slip(struct.pack("<BBHI", 1, op, len(body), value) + body)

    # -- operations

    def _sync(self, op: int, data: bytes, check: int) -> bytes:
        return self._say(op, SYNCED_STUB if self.stub else SYNCED_ROM) * 8

    def _ok(self, op: int, data: bytes, check: int) -> bytes:
        return self._say(op)

    def _security(self, op: int, data: bytes, check: int) -> bytes:
        if self.chip not in CHIP_IDS:
            return self._say(op, error=UNKNOWN)
        return self._say(op, data=struct.pack("<IB7xII", 0, 0, CHIP_IDS[self.chip], 0))

    def _read_register(self, op: int, data: bytes, check: int) -> bytes:
        return self._say(op, self._registers.get(struct.unpack("<I", data)[0], 0))

    def _end_ram(self, op: int, data: bytes, check: int) -> bytes:
        """Start what was put into RAM: the stub, which says hello."""
        answer = self._say(op)
        if self.faults.no_stub:
            return answer
        self.stub = True
        return answer + slip(b"OHAI")

    def _change_rate(self, op: int, data: bytes, check: int) -> bytes:
        answer = self._say(op)
        self.rate = struct.unpack_from("<I", data)[0]
        return answer

    def _begin(self, op: int, data: bytes, check: int) -> bytes:
        """Erase first, or as it comes: the end is the same."""
        size, _, _, self._at = struct.unpack_from("<IIII", data)
        self._erase(self._at, size)
        self._inflate = zlib.decompressobj() if op == 0x10 else None
        return self._say(op)

    def _data(self, op: int, data: bytes, check: int) -> bytes:
        size = struct.unpack_from("<I", data)[0]
        piece = data[16 : 16 + size]
        if self.faults.spoils:
            self.faults.spoils -= 1
            piece = bytes([piece[0] ^ 1]) + piece[1:]
        if reduce(int.__xor__, piece, CHECKSUM_SEED) != check:
            return self._say(op, error=FAILED_CHECKSUM)
        if self._inflate is not None:
            piece = self._inflate.decompress(piece)
        if self.faults.silent_after is not None and self._written + len(piece) > self.faults.silent_after:
            self.faults.silent_after, self._lost = None, True
            return b""
        self._program(piece)
        return self._say(op)

    def _end(self, op: int, data: bytes, check: int) -> bytes:
        answer = self._say(op)
        if struct.unpack_from("<I", data)[0] == 0:
            if self.stub:
                self.reset()  # the stub leaves, and the ROM listens again
            else:
                self._run()
        return answer

    def _md5(self, op: int, data: bytes, check: int) -> bytes:
        at, size = struct.unpack_from("<II", data)
        digest = hashlib.md5(self.flash[at : at + size])
        if self.faults.wrong_md5:
            self.faults.wrong_md5 -= 1
            digest.update(b"?")
        return self._say(op, data=digest.digest() if self.stub else digest.hexdigest().encode())

    def _read_slowly(self, op: int, data: bytes, check: int) -> bytes:
        at, size = struct.unpack_from("<II", data)
        return self._say(op, data=bytes(self.flash[at : at + size]).ljust(SLOW_READ_BYTES, b"\0"))

    def _erase_all(self, op: int, data: bytes, check: int) -> bytes:
        self._erase(0, len(self.flash))
        self.erased += 1
        return self._say(op)

    def _erase_region(self, op: int, data: bytes, check: int) -> bytes:
        self._erase(*struct.unpack_from("<II", data))
        return self._say(op)

    def _read(self, op: int, data: bytes, check: int) -> bytes:
        at, size, piece = struct.unpack_from("<III", data)
        said = bytes(self.flash[at : at + size])
        pieces = [slip(said[start : start + piece]) for start in range(0, size, piece)]
        return self._say(op) + b"".join(pieces) + slip(hashlib.md5(said).digest())

    def _start(self, op: int, data: bytes, check: int) -> bytes:
        self._run()
        return b""

    # -- the flash

    def _erase(self, at: int, size: int) -> None:
        end = min(-(-(at + size) // SECTOR) * SECTOR, len(self.flash))
        at = at // SECTOR * SECTOR
        self.flash[at:end] = b"\xff" * (end - at)

    def _program(self, piece: bytes) -> None:
        end = self._at + len(piece)
        self.flash[self._at : end] = bytes(a & b for a, b in zip(self.flash[self._at : end], piece, strict=True))
        self._at = end
        self._written += len(piece)


def slip(packet: bytes) -> bytes:
    """A packet as it goes over the line."""
    return b"\xc0" + packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


OPERATIONS: dict[int, Callable[[RomLoader, int, bytes, int], bytes]] = {
    0x02: RomLoader._begin,
    0x03: RomLoader._data,
    0x04: RomLoader._end,
    0x05: RomLoader._ok,  # RAM: begin
    0x06: RomLoader._end_ram,
    0x07: RomLoader._ok,  # RAM: data
    0x08: RomLoader._sync,
    0x09: RomLoader._ok,  # write a register
    0x0A: RomLoader._read_register,
    0x0B: RomLoader._ok,  # the flash's size
    0x0D: RomLoader._ok,  # attach the flash
    0x0E: RomLoader._read_slowly,
    0x0F: RomLoader._change_rate,
    0x10: RomLoader._begin,
    0x11: RomLoader._data,
    0x12: RomLoader._end,
    0x13: RomLoader._md5,
    0x14: RomLoader._security,
    0xD0: RomLoader._erase_all,
    0xD1: RomLoader._erase_region,
    0xD2: RomLoader._read,
    0xD3: RomLoader._start,
}
"""Those from 0xD0 on are the stub's alone."""
