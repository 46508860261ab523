"""A strace of a process as a list of what it did to the files of one folder, and what it said."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CALLS = "pwrite64,write,fsync,fdatasync,ftruncate,openat,rename,link,unlink"
BYTES_SHOWN = 70_000  # the largest single write here is a checkpoint's or a copied page, far below

_LINE = re.compile(rb"(?:\[pid +)?(\d+)\]? +(.*)")
_CALL = re.compile(rb"(\w+)\((.*)\) += +(-?\d+)(?:<(.*)>)?")
_RESUMED = re.compile(rb"<\.\.\. \w+ resumed>(.*)")
_FD = re.compile(rb"(\d+)(?:<([^>]*)>)?")
_STRING = re.compile(rb'"([^"]*)"')


class Event(NamedTuple):
    """One thing done. `op`: write, truncate, sync, open, rename, link, unlink, said (then `data` is the line)."""

    op: str
    name: str = ""
    offset: int = 0
    data: bytes = b""
    to: str = ""


def trace(strace: str, command: list[str], folder: Path, log: Path) -> list[Event]:
    """Run `command` under strace; what it did in `folder`, in order. Raises CalledProcessError when it fails."""
    watch = [strace, "-f", "-y", "-xx", "-s", str(BYTES_SHOWN), "--seccomp-bpf", "-e", f"trace={CALLS}"]
    subprocess.run([*watch, "-o", str(log), *command], check=True, stdout=subprocess.DEVNULL, timeout=90)
    return list(events(log, str(folder).encode() + b"/"))


def events(log: Path, folder: bytes) -> Iterator[Event]:
    """The events in a strace log, calls taken as done when they return."""
    begun: dict[bytes, bytes] = {}
    with log.open("rb") as lines:
        for line in lines:
            found = _LINE.match(line)
            if found is None:
                continue
            pid, text = found.groups()
            if text.endswith(b"<unfinished ...>"):
                begun[pid] = text.removesuffix(b"<unfinished ...>").rstrip()
                continue
            resumed = _RESUMED.match(text)
            if resumed:
                text = begun.pop(pid, b"") + resumed[1]
            call = _CALL.match(text)
            if call and int(call[3]) >= 0:
                yield from _event(call[1].decode(), call[2], int(call[3]), call[4] or b"", folder)


def _event(call: str, arguments: bytes, result: int, result_path: bytes, folder: bytes) -> Iterator[Event]:
    if call == "openat":
        name = _inside(_plain(result_path), folder)
        if name and b"O_CREAT" in arguments:
            yield Event("open", name, data=b"O_TRUNC" if b"O_TRUNC" in arguments else b"")
        return
    if call in ("rename", "link", "unlink"):
        names = [_inside(_plain(text), folder) for text in _STRING.findall(arguments)]
        if all(names):
            yield Event(call, names[0], to=names[-1])
        return
    head = _FD.match(arguments)
    assert head is not None
    path = _plain(head[2] or b"")
    if head[1] == b"1" and call == "write":
        yield Event("said", data=_data(arguments)[:result])
        return
    if path + b"/" == folder:
        yield Event("sync", ".")
    name = _inside(path, folder)
    if not name:
        return
    if call in ("fsync", "fdatasync"):
        yield Event("sync", name)
    elif call == "ftruncate":
        yield Event("truncate", name, int(arguments.rsplit(b",", 1)[1]))
    else:
        offset = int(arguments.rsplit(b",", 1)[1]) if call == "pwrite64" else -1
        yield Event("write", name, offset, _data(arguments)[:result])


def _data(arguments: bytes) -> bytes:
    found = _STRING.search(arguments)
    assert found is not None
    return _plain(found[1])


def _plain(text: bytes) -> bytes:
    """What `\\x2f\\x74…` stands for."""
    return bytes.fromhex(text.replace(b"\\x", b"").decode()) if b"\\x" in text else text


def _inside(path: bytes, folder: bytes) -> str:
    """The name within `folder`, "" when it is elsewhere or deeper."""
    name = path.removeprefix(folder)
    return "" if name == path or b"/" in name else name.decode()
