"""A boot loader without a chip: two files for whole images beside the flash, and what it keeps about them.

Like ESP-IDF's: an image that was activated is started once, and if it does not confirm itself before the next
start, the one before it runs again.
"""

import json

from outpost.port import ImageSlot
from ports.unix_files import exists, replace

NAMES = ("ota_0", "ota_1")
SIZE = 0x180000  # as on a board with 4 MB
IMAGE_MAGIC = 0xE9
EINVAL = 22
VALID, NEW, PENDING = "valid", "new", "pending"


class FileSlot(ImageSlot):
    """One file."""

    size = SIZE

    def __init__(self, beside: str, name: str) -> None:
        self._beside = beside
        self._path = beside + "/" + name
        self.name = name
        if not exists(self._path):
            with open(self._path, "wb"):
                pass

    def write(self, at: int, data: bytes) -> None:
        with open(self._path, "r+b") as file:
            file.seek(at)
            file.write(data)

    def readinto(self, at: int, buffer: memoryview) -> None:
        with open(self._path, "rb") as file:
            file.seek(at)
            file.readinto(buffer)

    def activate(self) -> None:
        with open(self._path, "rb") as file:
            if file.read(1) != bytes([IMAGE_MAGIC]):
                raise OSError(EINVAL)
        _keep(self._beside, self.name, NEW)


class BootLoader:
    """What is beside one flash."""

    def __init__(self, beside: str) -> None:
        self._beside = beside
        try:
            with open(beside + "/otadata", "rb") as file:
                kept = json.loads(file.read())
        except OSError:
            kept = {"runs": NAMES[0], "state": VALID}
        self.running, self._state = str(kept["runs"]), str(kept["state"])

    def start(self) -> None:
        """The power has come."""
        if self._state == NEW:
            self._state = PENDING
        elif self._state == PENDING:
            self.running, self._state = self._other(), VALID
        _keep(self._beside, self.running, self._state)

    def confirm(self) -> None:
        """The image that runs is well."""
        self._state = VALID
        _keep(self._beside, self.running, VALID)

    def slot(self) -> ImageSlot:
        """The one that does not run."""
        return FileSlot(self._beside, self._other())

    def _other(self) -> str:
        return NAMES[1 - NAMES.index(self.running)]


def _keep(beside: str, runs: str, state: str) -> None:
    replace(beside + "/otadata", json.dumps({"runs": runs, "state": state}).encode())
