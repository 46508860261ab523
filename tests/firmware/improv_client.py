"""Somebody with a terminal program that speaks Improv, at the other end of a board's cable."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from tests.firmware.board import ROOT, until

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.improv_serial import RPC, Parser, packet

READ_BYTES = 4096


class Client:
    """`packets` are those that came, as (type, data); `text` is all the rest. A context manager.

    One that does not listen leaves all that comes to whoever else is at this end.
    """

    def __init__(self, tty: Path, *, listens: bool = True) -> None:
        self._listens = listens
        self.packets: list[tuple[int, bytes]] = []
        self.text = b""
        self._parser = Parser()
        self._fd = os.open(tty, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def __enter__(self) -> Client:
        if self._listens:
            asyncio.get_running_loop().add_reader(self._fd, self._hear)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._listens:
            asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        os.write(self._fd, data)

    def type(self, line: str) -> None:
        """A line at the console."""
        self.send(line.encode() + b"\r")

    def ask(self, command: int, data: bytes = b"") -> None:
        """Send a command."""
        self.send(packet(RPC, bytes((command, len(data))) + data))

    async def hears(self, kind: int, data: bytes) -> None:
        """Wait for a packet of this kind whose data begin so."""
        await until(lambda: any(k == kind and d.startswith(data) for k, d in self.packets))

    async def strings(self, command: int) -> list[str]:
        """The strings of the first result of a command."""
        await self.hears(4, bytes((command,)))
        found = next(data for kind, data in self.packets if kind == 4 and data[0] == command)
        return strings(found)

    async def says(self, text: bytes) -> None:
        """Wait for text."""
        await until(lambda: text in self.text)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.text += self._parser.feed(os.read(self._fd, READ_BYTES), 0, True)
        self.packets += self._parser.packets
        self._parser.packets = []


def strings(result: bytes) -> list[str]:
    """Of a result's bytes."""
    found, at = [], 2
    while at < len(result):
        found.append(result[at + 1 : at + 1 + result[at]].decode())
        at += 1 + result[at]
    return found
