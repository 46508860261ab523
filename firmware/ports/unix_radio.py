"""A radio without one: the networks in reach are `networks.json` beside the flash, `[{"ssid": "Hall", "password":
"...", "dbm": -50}]`. A network without a password is open; the file may change at any time.

The board's own network is this machine's loopback: while it is open, `access_point.json` beside the flash says what
a phone would see of it. A file `button` there holds the BOOT button, and `light.json` is what a board's light does.
"""

import json
import os

from outpost.port import LIGHT_MAX
from ports.unix_files import exists, replace

JOIN_LOOKS = 3  # from a try to being in, as often as it is looked at
LOOPBACK = "127.0.0.1"
EAGAIN = 11


class Radio:
    """One radio: in one network at a time."""

    def __init__(self, folder: str) -> None:
        self._file = folder + "/networks.json"
        self._own = folder + "/access_point.json"
        self._looks = 0
        self._tried = None  # type: tuple[str, str] | None
        if exists(self._own):
            os.remove(self._own)  # the power went while it was open

    def there(self) -> bool:
        """Whether the board has one."""
        return exists(self._file)

    def scan(self) -> "list[tuple[str, int, str]]":
        """What is in reach."""
        if self._tried is not None:
            raise OSError(EAGAIN)
        return [
            (one["ssid"], one.get("dbm", -60), one.get("kind", "WPA2" if one.get("password") else "NO"))
            for one in self._networks()
            if not one.get("hidden")
        ]

    def begin(self, ssid: str, password: str) -> None:
        """Try this network."""
        self._tried = (ssid, password)
        self._looks = 0

    def end(self) -> None:
        """Try none."""
        self._tried = None

    def trying(self) -> bool:
        """Whether it is away from the network in the settings."""
        return self._tried is not None

    def joined(self) -> bool:
        """Whether it is in what it tries."""
        if self._tried is None:
            return False
        self._looks += 1
        return self._looks >= JOIN_LOOKS and self.admits(self._tried[0], self._tried[1])

    def admits(self, ssid: str, password: str) -> bool:
        """Whether there is such a network, with this password."""
        for one in self._networks():
            if one["ssid"] == ssid:
                return one.get("password", "") == password
        return False

    def open_own(self, name: str, password: str) -> str:
        """Be a network; its address."""
        seen = {"ssid": name, "open": not password, "password_bytes": len(password), "address": LOOPBACK}
        replace(self._own, json.dumps(seen).encode())
        return LOOPBACK

    def close_own(self) -> None:
        """Be none."""
        if exists(self._own):
            os.remove(self._own)

    def _networks(self) -> "list[dict[str, object]]":
        try:
            with open(self._file, "rb") as file:
                return json.loads(file.read())
        except (OSError, ValueError):  # there is none, or it is being written
            return []


class Light:
    """A light that is a file."""

    def __init__(self, folder: str) -> None:
        self._file = folder + "/light.json"

    def set(self, level: int) -> None:
        """Say it; whoever reads gets the old level or the new."""
        with open(self._file + ".new", "w") as file:
            file.write(json.dumps({"percent": round(100 * level / LIGHT_MAX)}))
        os.rename(self._file + ".new", self._file)
