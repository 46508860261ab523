"""What is around a sensor board, a logger or an e-paper: `inputs.json` beside its flash says it, by key.

True and false are digital inputs, all else is measured. A logger's contacts are there, too: true is a high level,
and one of which nothing is said is as it is pulled. Without the file, sensors follow the clock, and machines run
and stop by themselves. What is switched is in `outputs.json`.
"""

import json
import math
import time

from outpost.port import TagReader
from ports.unix_files import replace

ENODEV = 19
OUTPUTS = 5
DAY_S = 86400


class Surroundings:
    """Read from the file whenever it is asked for, so that it may change."""

    def __init__(self, folder: str) -> None:
        self._file = folder + "/inputs.json"
        self._switched = folder + "/outputs.json"
        self._outputs = [False] * OUTPUTS

    def digital(self) -> "dict[str, bool]":
        """A sensor board's digital inputs."""
        says = self._all()
        return {key: says[key] for key in says if isinstance(says[key], bool)}

    def measured(self) -> "dict[str, object]":
        """What a sensor board measures."""
        says = self._all()
        return {key: says[key] for key in says if not isinstance(says[key], bool)}

    def levels(self, contacts: "dict[str, tuple[int, int]]") -> "dict[str, bool]":
        """A logger's contacts: of each its pin, which has no meaning here, and the level that it is pulled to."""
        says = self._said()
        if says is not None:
            return {key: bool(says.get(key, contacts[key][1])) for key in contacts}
        from ports.unix_rhythm import runs

        now_s = time.time_ns() // 1000000000
        return {key: runs(int(key[2:]), now_s) != bool(contacts[key][1]) for key in contacts}

    def switch(self, number: int, on: bool) -> None:
        """Raises OSError when there is no such switch."""
        if not 0 <= number < OUTPUTS:
            raise OSError(ENODEV)
        self._outputs[number] = on
        names = {"v%d" % i: self._outputs[i] for i in range(OUTPUTS)}
        replace(self._switched, json.dumps(names).encode())

    def tag(self) -> str:
        """The id of the tag that lies at an e-paper's board."""
        return str((self._said() or {}).get("nfc", ""))

    def _said(self) -> "dict[str, object] | None":
        try:
            with open(self._file, "rb") as file:
                return json.loads(file.read())
        except (OSError, ValueError):  # there is none, or it is being written
            return None

    def _all(self) -> "dict[str, object]":
        says = self._said()
        if says is not None:
            return says
        wave = math.sin(time.time_ns() / 1000000000 * 2 * math.pi / DAY_S)
        return {
            "temperature": round(22 + 4 * wave, 2), "humidity": round(50 - 12 * wave, 1), "a0": 1.65, "d0": False
        }  # fmt: skip


class Tags(TagReader):
    """A reader that finds what the file says."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    def look(self, now: int) -> "str | None":
        return self._surroundings.tag()
