"""A site's devices in one process of its own, as docs/protocol.md has them, cheap enough to measure a hub with.

`python -m tests.bench.polling_load CORE` reads one JSON object from standard input and prints one:

- `{"do": "site", "port", "key", "devices": [[id, token]...], "seconds"}`: a third of the devices polls every 2 s, a
  third long-polls, the rest posts readings, 50 a second in all; 5 commands a second go to those that long-poll.
- `{"do": "rush", "port", "devices", "seconds", "most"}`: each device polls as fast as it is answered, up to `most`
  times; without devices, 50 clients ask the bare handler for the same.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import socket
import sys
import time
from typing import Any

from edge.wire import signing
from tests.bench.http_load import READ_BYTES, answered

POLL_EVERY_S = 2.0
POSTS_PER_S = 50
COMMANDS_PER_S = 5
CHIP = "A4CF12000001"
NONCE = "00" * 16
POLL = "/v1/device/poll?wait=%d&desired=0"
BARE_CLIENTS = 50


class Board:
    """One device on a connection of its own."""

    def __init__(self, port: int, device_id: str, token: str) -> None:
        self.port, self.id, self.key = port, device_id, signing.key_from_token(token)
        self.session, self.session_key, self.counter = "", b"", 0
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def open(self) -> None:
        """Connect, open a session, and use it: what a hello says is written down once, at its first use."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        hello = {"device": self.id, "chip": CHIP, "kind": "vending", "fw": "1", "epoch": "e", "nonce": NONCE}
        uptime_ms = time.monotonic_ns() // 1_000_000  # each hello is newer than the one before
        body = json.dumps({**hello, "hwm": 0, "boot": 1, "uptime_ms": uptime_ms}).encode()
        mac = {signing.MAC: signing.hello_mac(self.key, body)}
        self.writer.write(request("POST", "/v1/device/hello", body, mac))
        _, raw = await answer(self.reader)
        welcome = json.loads(raw)
        self.session, self.session_key = welcome["session"], signing.session_key(self.key, NONCE, welcome["nonce"])
        await self.ask("GET", POLL % 0)

    def signed(self, method: str, target: str, body: bytes = b"") -> bytes:
        """The next request."""
        self.counter += 1
        mac = signing.request_mac(self.session_key, method, target, self.counter, body)
        headers = {signing.SESSION: self.session, signing.COUNTER: str(self.counter), signing.MAC: mac}
        return request(method, target, body, headers)

    async def ask(self, method: str, target: str, body: bytes = b"") -> Any:
        """One request. Raises AssertionError unless it is answered 200."""
        self.writer.write(self.signed(method, target, body))
        status, raw = await answer(self.reader)
        assert status == 200, (status, raw)
        return json.loads(raw)


def request(method: str, target: str, body: bytes, headers: dict[str, str]) -> bytes:
    """A request as bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\nHost: h\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    return int(head[9:12]), await reader.readexactly(length)


class Site:
    """The devices of a site and what was measured of them."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order, self._port = order, int(order["port"])
        self._until = 0.0
        self.polls: list[float] = []
        self.posts: list[float] = []
        self.commands: list[float] = []
        self._asked: dict[str, float] = {}
        self._arrived: dict[str, float] = {}

    async def run(self) -> dict[str, Any]:
        """Live for as long as was ordered; the quantiles."""
        boards = [Board(self._port, *pair) for pair in self._order["devices"]]
        for at in range(0, len(boards), 50):
            await asyncio.gather(*(board.open() for board in boards[at : at + 50]))
        third = len(boards) // 3
        self._until = time.perf_counter() + float(self._order["seconds"])
        await asyncio.gather(
            *(self._poll(board) for board in boards[:third]),
            *(self._long_poll(board) for board in boards[third : 2 * third]),
            self._post(boards[2 * third :]),
            self._command([board.id for board in boards[third : 2 * third]]),
        )
        return {
            "polls": quantiles(self.polls),
            "posts": quantiles(self.posts),
            "commands": quantiles(self.commands),
        }

    async def _poll(self, board: Board) -> None:
        await asyncio.sleep(random.random() * POLL_EVERY_S)
        while (began := time.perf_counter()) < self._until:
            await board.ask("GET", POLL % 0)
            self.polls.append(time.perf_counter() - began)
            await asyncio.sleep(POLL_EVERY_S)

    async def _long_poll(self, board: Board) -> None:
        while (left_s := self._until - time.perf_counter()) > 0:
            said = await board.ask("GET", POLL % min(25, int(left_s) + 1))
            command = said.get("command")
            if command:
                self._arrives(command["id"])
                result = json.dumps({"id": command["id"], "seq": command["seq"], "ok": True}).encode()
                await board.ask("POST", "/v1/device/result", result)

    async def _post(self, boards: list[Board]) -> None:
        """Readings by the boards in turn; each waits for its own answer."""
        first = dict.fromkeys((board.id for board in boards), 0)

        async def one(board: Board) -> None:
            began, number = time.perf_counter(), first[board.id]
            first[board.id] += 1
            records = [[1, number, 0, {"temperature": 21.5, "humidity": 40 + number % 9}]]
            batch = {"epoch": "e", "first": number, "boot": 1, "uptime_ms": number, "records": records}
            await board.ask("POST", "/v1/device/readings", json.dumps(batch).encode())
            self.posts.append(time.perf_counter() - began)

        at = 0
        async with asyncio.TaskGroup() as group:
            while time.perf_counter() < self._until:
                group.create_task(one(boards[at % len(boards)]))
                at += 1
                await asyncio.sleep(1 / POSTS_PER_S)

    async def _command(self, device_ids: list[str]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        at, headers = 0, {"Authorization": f"Bearer {self._order['key']}", "Content-Type": "application/json"}
        while time.perf_counter() < self._until - 1.0:
            began = time.perf_counter()
            path = f"/v1/devices/{device_ids[at % len(device_ids)]}/commands"
            writer.write(request("POST", path, b'{"kind":"machine_status"}', headers))
            status, raw = await answer(reader)
            assert status == 201, raw
            self._is_asked(json.loads(raw)["id"], began)
            at += 1
            await asyncio.sleep(1 / COMMANDS_PER_S)
        writer.close()

    def _is_asked(self, command_id: str, began: float) -> None:
        self._asked[command_id] = began
        self._match(command_id)

    def _arrives(self, command_id: str) -> None:
        self._arrived[command_id] = time.perf_counter()
        self._match(command_id)

    def _match(self, command_id: str) -> None:
        """From the request for it to its arrival, which may be known before the answer to the request."""
        if command_id in self._asked and command_id in self._arrived:
            self.commands.append(self._arrived.pop(command_id) - self._asked.pop(command_id))


async def rush(order: dict[str, Any]) -> dict[str, Any]:
    """How many polls a second are answered. Plain epoll: the load must cost less than what it measures."""
    seconds, port, most = float(order["seconds"]), int(order["port"]), int(order["most"])
    ready: list[list[bytes]] = []
    for device_id, token in order["devices"]:
        board = Board(port, device_id, token)
        await board.open()
        board.writer.close()
        ready.append([board.signed("GET", POLL % 0) for _ in range(most)])
    if not ready:
        plain = request("GET", POLL % 0, b"", {signing.SESSION: NONCE, signing.COUNTER: "1", signing.MAC: "0" * 64})
        ready = [[plain] * most for _ in range(BARE_CLIENTS)]
    poll, clients = select.epoll(), {}
    for requests in ready:
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        clients[sock.fileno()] = sock, iter(requests)
        poll.register(sock, select.EPOLLIN)
    count, began, buffers = 0, time.perf_counter(), dict.fromkeys(clients, b"")
    for sock, rest in clients.values():
        sock.sendall(next(rest))
    while time.perf_counter() - began < seconds:
        for number, _ in poll.poll(1.0):
            sock, rest = clients[number]
            buffers[number] += sock.recv(READ_BYTES)
            status = answered(buffers[number])
            if status:
                assert status == 200, buffers[number]
                count, buffers[number] = count + 1, b""
                sock.sendall(next(rest))
    return {"per_s": count / (time.perf_counter() - began), "count": count}


def quantiles(latencies: list[float]) -> dict[str, float]:
    """How many, and half, 99 of 100 and the worst, in milliseconds."""
    latencies.sort()
    at = {f"p{q}_ms": 1000 * latencies[int(len(latencies) * q / 100)] for q in (50, 99)}
    return {"count": len(latencies), **at, "worst_ms": 1000 * latencies[-1]}


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    wanted = json.load(sys.stdin)
    work = Site(wanted).run() if wanted["do"] == "site" else rush(wanted)
    print(json.dumps(asyncio.run(work)))
