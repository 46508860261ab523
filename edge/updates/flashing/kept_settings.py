"""A board's settings while it is made new: read before its flash is erased, on disk until they are back on it.

So a cable that comes out in between costs no WiFi and no key: the next try finds them here, by the board's MAC.
What is kept is the flash's settings partition as it is, the WiFi's password and the device's key among it: for
the owner's eyes alone, and removed when the work has ended well. So is the room a piece of work has for its files,
where the settings come by on their way.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from edge.settle import settle

BLANK = b"\xff"
SUFFIX = ".nvs"
_ROOM = re.compile(r"work-(\d+)-")


class KeptSettings:
    """A folder with a file a board. All of this blocks for ms."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, mac: str, settings: bytes) -> bytes:
        """Put them on disk; those of an earlier try that did not end count where the board itself has none.

        Returns what shall be on the board. Blank space at the end is left out.
        """
        used = settings.rstrip(BLANK)
        if not used:
            return self._earlier(mac)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._file(mac).with_suffix(".new")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(used)
        settle(draft, self._file(mac))
        return used

    def forget(self, mac: str) -> None:
        """They are on the board again, or nobody wants them."""
        self._file(mac).unlink(missing_ok=True)

    def room(self) -> Path:
        """A new folder for one piece of work, which removes it. What killed programs left is removed now."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._folder.iterdir():
            name = _ROOM.match(left.name)
            if name is not None and not Path(f"/proc/{name[1]}").exists():
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"work-{os.getpid()}-", dir=self._folder))

    def _earlier(self, mac: str) -> bytes:
        try:
            return self._file(mac).read_bytes()
        except FileNotFoundError:
            return b""

    def _file(self, mac: str) -> Path:
        return self._folder / f"{mac or 'unknown'}{SUFFIX}"
