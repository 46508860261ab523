"""The two apps of a board, as the one that runs sees them. `outpost_boot` has the meaning of the numbers.

Each change is one write, so a power cut leaves what was or what shall be, and nothing between. Every board has this
loaded, so of a manifest it reads the head alone; all of it was checked when it came (outpost.manifest).
"""

import hashlib
import sys

from outpost.port import Port
from outpost.signing import hexed

FOLDERS = ("a", "b")  # as outpost_boot has them
HEAD_LINES = 7
LINE_BYTES_MAX = 176
READ_BYTES = 512
KEY_ID_BYTES = 16
KEYS_MAX = 8


class Slots:
    """Read once at the start. On a board of the older layout there is no `folder`, and no other one."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self.folder = port.app  # of the app that runs
        self.other = ""
        self.trial = False
        self.id = ""  # of the app that runs: SHA-256 of its manifest
        self.target, self.version, self.security = "", "", 0
        if not self.folder:
            return
        self._slot = FOLDERS.index(self.folder[-1])
        self.other = self.folder[:-1] + FOLDERS[1 - self._slot]
        self.trial = port.number("ok", self._slot + 1) != self._slot + 1
        self.id = artifact_in(self.folder)
        facts = _facts(self.folder)
        self.target, self.version = facts.get("target", ""), facts.get("version", "")
        security = facts.get("security", "")
        self.security = int(security) if security.isdigit() else 0

    def stage(self) -> None:
        """Let the next start be of the other one, on trial. Raises OSError."""
        self._port.forget("why")
        self._port.set_number("ok", self._slot + 1)
        self._port.set_number("try", 0)
        self._port.set_number("slot", 1 - self._slot)

    def confirm(self) -> None:
        """This one is well. Raises OSError."""
        self._port.set_number("ok", self._slot + 1)
        self.trial = False

    def give_up(self, why: str) -> None:
        """This one is not well: at the next start it is the other's turn again. Raises OSError."""
        self._port.save("why", why.encode())

    def went_back(self) -> str:
        """Why the app that was tried does not run; empty when all is as it should be."""
        return (self._port.load("back") or b"").decode()

    def reported(self) -> None:
        """That is kept elsewhere now. Raises OSError."""
        self._port.forget("back")


def variant_of(port: Port) -> str:
    """What the app that runs makes of the board; '' where nothing says so but the settings."""
    return _facts(port.app).get("target", "") if port.app else ""


def artifact_in(folder: str) -> str:
    """Which app lies there, by the SHA-256 of its manifest; '' for none."""
    digest = hashlib.sha256()
    try:
        with open(folder + "/manifest", "rb") as file:
            while True:
                data = file.read(READ_BYTES)
                if not data:
                    return hexed(digest.digest())
                digest.update(data)
    except OSError:
        return ""


def key_ids(folder: str) -> "list[str]":
    """The ids of the keys in an app's file `keys`."""
    ids = []  # type: list[str]
    try:
        with open(folder + "/keys", "rb") as file:
            while len(ids) < KEYS_MAX:
                line = file.readline()
                if not line:
                    break
                ids.append(line[:KEY_ID_BYTES].decode())
    except (OSError, ValueError):
        pass
    return sorted(ids)


def _facts(folder: str) -> "dict[str, str]":
    """The head of the manifest there, by the first word of each line; empty for none."""
    facts = {}  # type: dict[str, str]
    try:
        with open(folder + "/manifest", "rb") as file:
            for _ in range(HEAD_LINES):
                word, _, value = file.readline(LINE_BYTES_MAX).decode().strip().partition(" ")
                facts[word] = value
    except (OSError, ValueError):
        pass
    return facts


def micropython() -> "tuple[int, int]":
    """The release that runs, and so what an app may ask for."""
    release = sys.implementation.version
    return int(release[0]), int(release[1])


def mpy_version() -> int:
    """Which version of compiled files it loads; 0 where it loads none."""
    return int(getattr(sys.implementation, "_mpy", 0)) & 0xFF
