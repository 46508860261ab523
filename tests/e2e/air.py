"""A network of its own for a board, with a link to this machine that can be cut: what WiFi is to a real one."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

import pytest

from tests.tools import WANTING, needs_root, needs_tool


class Air:
    """The link. `host` is this machine's address on it, `broadcast` reaches all; `inside` runs a command there."""

    def __init__(self, number: int) -> None:
        self.name = f"optest{number}"
        self._end = f"opair{number}"
        net = f"10.213.{number % 250}"
        self.host, self._board, self.broadcast = f"{net}.1", f"{net}.2", f"{net}.255"
        self.inside = ("ip", "netns", "exec", self.name)

    async def cut(self) -> None:
        """From now on nothing that is sent arrives, and nobody is told so."""
        await _ip("link", "set", self._end, "down")

    async def mend(self) -> None:
        """As before."""
        await _ip("link", "set", self._end, "up")

    async def make(self) -> None:
        """Lay it."""
        await _ip("netns", "add", self.name)
        await _ip("link", "add", self._end, "type", "veth", "peer", "name", "air", "netns", self.name)
        await _ip("addr", "add", f"{self.host}/24", "brd", "+", "dev", self._end)
        await _ip("-n", self.name, "addr", "add", f"{self._board}/24", "brd", "+", "dev", "air")
        for link in (("-n", self.name, "link", "set", "air", "up"), ("link", "set", self._end, "up")):
            await _ip(*link)
        await _ip("-n", self.name, "route", "add", "224.0.0.0/4", "dev", "air")

    async def remove(self) -> None:
        """Take it away, whatever there is of it."""
        for words in (("link", "del", self._end), ("netns", "del", self.name)):
            with contextlib.suppress(OSError):
                await _ip(*words)


@contextlib.asynccontextmanager
async def air() -> AsyncIterator[Air]:
    """A link; skips where none can be laid."""
    needs_tool("ip")
    needs_root("give a board a network of its own")
    link = Air(os.getpid())
    try:
        try:
            await link.make()
        except OSError as error:
            pytest.skip(f"{WANTING}no network can be made here: {error}")
        yield link
    finally:
        await link.remove()


async def _ip(*words: str) -> None:
    done = await asyncio.create_subprocess_exec("ip", *words, stderr=asyncio.subprocess.PIPE)
    _, said = await done.communicate()
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {said.decode().strip()}")
