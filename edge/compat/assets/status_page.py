"""Asks an old asset logger for its own status page, where it lists its inputs: changes that got lost show there.

It is asked at the very address it has just spoken from, at port 80, and nowhere else.
"""

from __future__ import annotations

import contextlib
from ipaddress import ip_address

import aiohttp

from edge.compat.assets.reports import Listed, listed
from edge.outbound import session_to

PORT = 80
PATH = "/status"
WAIT_S = 3.0  # it answers between two samples of its inputs
PAGE_BYTES = 8192  # its own has at most 1,000


class StatusPages:
    """The way to the pages. `port` and `wait_s` are others in tests alone."""

    def __init__(self, port: int = PORT, wait_s: float = WAIT_S) -> None:
        self.port, self.wait_s = port, wait_s

    async def of(self, address: str) -> Listed | None:
        """What the logger at an address says of itself; None where nothing that is one answers in time."""
        try:
            there = ip_address(address.partition("%")[0])
        except ValueError:
            return None
        host = f"[{there}]" if there.version == 6 else str(there)
        timeout = aiohttp.ClientTimeout(total=self.wait_s)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
            async with (
                session_to(there) as session,
                session.get(f"http://{host}:{self.port}{PATH}", timeout=timeout, allow_redirects=False) as answer,
            ):
                return listed(await _bounded(answer)) if answer.status == 200 else None
        return None


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """The body, up to its bound: what is cut there is no such page."""
    raw = b""
    async for piece in answer.content.iter_any():
        raw += piece
        if len(raw) > PAGE_BYTES:
            return b""
    return raw
