"""Devices that download one app at the same time, in a process of their own, piece by piece as a board does.

`python -m tests.bench.download_load CORE` reads one JSON object from standard input: `{"port", "prefix", "signed",
"devices": [[id, token]...], "files": {SHA-256: bytes}, "piece": bytes}`. Unsigned, they ask a server of files.
Prints `{"seconds", "requests", "bytes"}`; what came is hashed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from typing import Any

from tests.bench.polling_load import Board, answer, request


class Downloads:
    """What all of them have fetched."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._prefix, self._files = str(order["prefix"]), dict(order["files"])
        self._piece, self._signed = int(order["piece"]), bool(order["signed"])
        self._boards = [Board(int(order["port"]), *pair) for pair in order["devices"]]
        self.requests = self.bytes = 0

    async def run(self) -> dict[str, float]:
        """All of them at once; their sessions are open before the clock runs."""
        await asyncio.gather(*(self._open(board) for board in self._boards))
        began = time.perf_counter()
        await asyncio.gather(*(self._fetch_all(board) for board in self._boards))
        return {"seconds": time.perf_counter() - began, "requests": self.requests, "bytes": self.bytes}

    async def _open(self, board: Board) -> None:
        if self._signed:
            await board.open()
        else:
            board.reader, board.writer = await asyncio.open_connection("127.0.0.1", board.port)

    async def _fetch_all(self, board: Board) -> None:
        for sha256, size in self._files.items():
            digest, at = hashlib.sha256(), 0
            while at < size:
                piece = await self._fetch(board, self._prefix + sha256, at)
                digest.update(piece)
                at += len(piece)
                self.requests += 1
                self.bytes += len(piece)
            assert digest.hexdigest() == sha256
        board.writer.close()

    async def _fetch(self, board: Board, target: str, at: int) -> bytes:
        asked = board.signed("GET", target) if self._signed else request("GET", target, b"", {})
        ranged = f"\r\nRange: bytes={at}-{at + self._piece - 1}\r\n".encode()
        board.writer.write(asked.replace(b"\r\n", ranged, 1))
        status, body = await answer(board.reader)
        assert status == 206, (status, body)
        return body


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    print(json.dumps(asyncio.run(Downloads(json.loads(sys.stdin.read())).run())))
