"""E-papers that poll one hub, in a process of their own: `python -m tests.bench.panel_load CORE` reads one JSON
object from standard input, `{"port", "devices": [[id, token]...], "seconds"}`, and prints one.

Each opens a session, takes its picture once, says that it shows it, and then polls every 2 s and says which picture
it knows: far oftener than a real one, which sleeps for minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import sys
import time
from typing import Any

from edge.wire import signing
from tests.bench.polling_load import NONCE, POLL_EVERY_S, Board, answer, quantiles, request

PANEL = {"width": 800, "height": 480, "format": "1bpp-zlib", "zlib_wbits": 10}
OPENED_AT_ONCE = 50


class Epaper(Board):
    """One of them."""

    def __init__(self, port: int, device_id: str, token: str) -> None:
        super().__init__(port, device_id, token)
        self.picture = ""

    async def open(self) -> None:
        """Connect, open a session, and show what there is."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        hello = {"device": self.id, "chip": "A4CF12000001", "kind": "eink", "fw": "1", "epoch": "e", "nonce": NONCE}
        uptime_ms = time.monotonic_ns() // 1_000_000
        body = json.dumps({**hello, "hwm": 0, "boot": 1, "uptime_ms": uptime_ms, "panel": PANEL}).encode()
        self.writer.write(
            request("POST", "/v1/device/hello", body, {signing.MAC: signing.hello_mac(self.key, body)})
        )
        _, raw = await answer(self.reader)
        welcome = json.loads(raw)
        self.session, self.session_key = welcome["session"], signing.session_key(self.key, NONCE, welcome["nonce"])
        await self.poll()
        target = f"/v1/device/pictures/{self.picture}"
        self.writer.write(self.signed("GET", target))
        status, data = await answer(self.reader)
        assert (status, hashlib.sha256(data).hexdigest()) == (200, self.picture)
        await self.ask("POST", "/v1/device/shown", json.dumps({"picture": self.picture}).encode())

    async def poll(self) -> None:
        """One poll; a picture that is another one is remembered."""
        said = await self.ask("GET", f"/v1/device/poll?wait=0&desired=0&show={self.picture[:16]}")
        self.picture = said["show"]["picture"]


async def run(order: dict[str, Any]) -> dict[str, Any]:
    """Live for as long as was ordered; the quantiles."""
    boards = [Epaper(int(order["port"]), *pair) for pair in order["devices"]]
    for at in range(0, len(boards), OPENED_AT_ONCE):
        await asyncio.gather(*(board.open() for board in boards[at : at + OPENED_AT_ONCE]))
    took: list[float] = []
    until = time.perf_counter() + float(order["seconds"])

    async def live(board: Epaper) -> None:
        await asyncio.sleep(random.random() * POLL_EVERY_S)
        while (began := time.perf_counter()) < until:
            await board.poll()
            took.append(time.perf_counter() - began)
            await asyncio.sleep(max(0.0, POLL_EVERY_S - (time.perf_counter() - began)))

    await asyncio.gather(*(live(board) for board in boards))
    return {**quantiles(took), "pictures": len({board.picture for board in boards})}


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    print(json.dumps(asyncio.run(run(json.loads(sys.stdin.read())))))
