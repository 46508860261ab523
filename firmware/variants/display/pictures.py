"""The stored pictures: one file a slot on flash, checked each time it is read."""

import binascii
import io
import os

from outpost.port import Inflate, Port

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

SLOT_MAX = 99
MAGIC = b"OPP1"
HEADER_BYTES = 8  # magic, CRC-32 of what follows
STEP_BYTES = 2048  # inflated or checked between two looks at the line
SUFFIX = ".opp"


class BadPicture(Exception):
    """Not a whole picture of this panel's size."""


class Pictures:
    """Slots 1 to SLOT_MAX. `breathe` is called between steps, so that the line is served meanwhile."""

    def __init__(self, port: Port, breathe: "Callable[[], None]") -> None:
        self._port = port
        self._breathe = breathe
        self._folder = port.files + "/pictures"
        _make_folder(self._folder)
        for name in os.listdir(self._folder):
            if name.endswith(".new"):
                os.remove(self._folder + "/" + name)  # a write the power was cut in

    def slots(self) -> "list[int]":
        """The filled slots, in order."""
        names = os.listdir(self._folder)
        return sorted([int(name[:2]) for name in names if name.endswith(SUFFIX) and name[:2].isdigit()])

    def store(self, slot: int, blob: memoryview) -> None:
        """Put a picture into its slot, whole or not at all. Raises OSError."""
        path = self._path(slot)
        with open(path + ".new", "wb") as file:
            file.write(MAGIC + (binascii.crc32(blob) & 0xFFFFFFFF).to_bytes(4, "little"))
            for at in range(0, len(blob), STEP_BYTES):
                file.write(blob[at : at + STEP_BYTES])
                self._breathe()
            file.flush()
        os.rename(path + ".new", path)

    def erase(self, slot: int) -> None:
        """Empty a slot. Raises OSError when it can't, also when it is empty."""
        os.remove(self._path(slot))

    def load(self, slot: int, into: bytearray) -> None:
        """Inflate a slot's picture. Raises BadPicture when the file is damaged, OSError when it is gone."""
        with open(self._path(slot), "rb") as file:
            header = file.read(HEADER_BYTES)
            crc = 0
            while True:
                step = file.read(STEP_BYTES)
                if not step:
                    break
                crc = binascii.crc32(step, crc)
                self._breathe()
            if header[:4] != MAGIC or crc & 0xFFFFFFFF != int.from_bytes(header[4:], "little"):
                raise BadPicture("slot %d is damaged" % slot)
            file.seek(HEADER_BYTES)
            self._inflate(self._port.inflate(file), into)

    def unpack(self, blob: memoryview, into: bytearray) -> None:
        """Inflate a picture as it came. Raises BadPicture."""
        self._inflate(self._port.inflate(io.BytesIO(bytes(blob))), into)

    def _inflate(self, stream: Inflate, into: bytearray) -> None:
        """Fill `into` exactly."""
        view = memoryview(into)
        filled = 0
        try:
            while filled < len(into):
                count = stream.readinto(view[filled : filled + STEP_BYTES])
                if not count:
                    raise BadPicture("it ends after %d bytes" % filled)
                filled += count
                self._breathe()
            if stream.readinto(memoryview(bytearray(1))):
                raise BadPicture("it is larger than the panel")
        except (OSError, ValueError, EOFError) as error:
            raise BadPicture("it does not inflate: %r" % error)

    def _path(self, slot: int) -> str:
        return "%s/%02d%s" % (self._folder, slot, SUFFIX)


def _make_folder(path: str) -> None:
    try:
        os.mkdir(path)
    except OSError:
        os.listdir(path)  # it is there already, or this raises
