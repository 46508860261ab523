"""A disk that keeps what was synced, and of the rest whatever it pleases.

A file's data is safe after its own sync, a name (made, renamed, removed) after its folder's. What a power cut
leaves of the unsynced: of each file none, all, a prefix of its writes, or any of their 512-byte sectors; of the
names a prefix, since file systems journal them in order.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.chaos.power_trace import Event

SECTOR = 512


class File:
    """One inode."""

    def __init__(self) -> None:
        self.safe = bytearray()
        self.unsafe: list[tuple[int, bytes | None]] = []  # offset and data; no data: cut to that length
        self.end = 0  # where a plain write goes on

    def left(self, chance: random.Random) -> bytes:
        """What a cut leaves of it."""
        content = bytearray(self.safe)
        fate = chance.choice(("none", "all", "prefix", "sectors", "sectors"))
        count = {"none": 0, "prefix": chance.randint(0, len(self.unsafe))}.get(fate, len(self.unsafe))
        for number, (offset, data) in enumerate(self.unsafe[:count]):
            last = fate == "prefix" and number == count - 1
            if data is None:
                if fate != "sectors" or chance.random() < 0.5:
                    _resize(content, offset)
            elif fate == "sectors" or last:
                _tear(content, offset, data, chance)
            else:
                _put(content, offset, data)
        return bytes(content)

    def sync(self) -> None:
        """All of it is safe now."""
        for offset, data in self.unsafe:
            _resize(self.safe, offset) if data is None else _put(self.safe, offset, data)
        self.unsafe.clear()


Names = dict[str, "File | None"]
"""Names and what they lead to from now on; None: gone."""


class Disk:
    """One folder. Feed it events in order; `leave` lays down what a cut now would leave."""

    def __init__(self) -> None:
        self.names: dict[str, File] = {}
        self.said: list[str] = []
        self._safe_names: dict[str, File] = {}
        self._unsafe: list[Names] = []  # one change of names each, whole or not at all

    def feed(self, event: Event) -> None:
        """Something was done."""
        if event.op == "said":
            self.said += event.data.decode().splitlines()
        elif event.op in ("open", "rename", "link", "unlink"):
            self._rename(event)
        elif event.name == ".":
            for change in self._unsafe:
                _follow(self._safe_names, change)
            self._unsafe.clear()
        else:
            self._change(self.names[event.name], event)

    def leave(self, folder: Path, chance: random.Random) -> None:
        """Write what a power cut leaves into `folder`. A file's shared memory is not on the disk."""
        names = dict(self._safe_names)
        kept = chance.choice((len(self._unsafe), chance.randint(0, len(self._unsafe))))
        for change in self._unsafe[:kept]:
            _follow(names, change)
        for name, file in names.items():
            if not name.endswith("-shm"):
                (folder / name).write_bytes(file.left(chance))

    def _rename(self, event: Event) -> None:
        file = self.names.get(event.name)
        if event.op == "open":
            if file is None:
                file = File()
                self._lead({event.name: file})
            file.end = 0
            if event.data == b"O_TRUNC":
                file.unsafe.append((0, None))
        elif event.op == "unlink":
            self._lead({event.name: None})
        elif event.op == "link":
            self._lead({event.to: file})
        else:
            self._lead({event.to: file, event.name: None})

    def _lead(self, change: Names) -> None:
        _follow(self.names, change)
        self._unsafe.append(change)

    def _change(self, file: File, event: Event) -> None:
        if event.op == "sync":
            file.sync()
        elif event.op == "truncate":
            file.unsafe.append((event.offset, None))
        else:
            offset = file.end if event.offset < 0 else event.offset
            file.end = offset + len(event.data)
            file.unsafe.append((offset, event.data))


def _follow(names: dict[str, File], change: Names) -> None:
    for name, file in change.items():
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _resize(content: bytearray, size: int) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        _resize(content, offset)
    content[offset : offset + len(data)] = data


def _tear(content: bytearray, offset: int, data: bytes, chance: random.Random) -> None:
    """Only some of the sectors arrive."""
    for start in range(0, len(data), SECTOR):
        if chance.random() < 0.5:
            _put(content, offset + start, data[start : start + SECTOR])
