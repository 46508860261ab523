"""A hub by the script: it says to a centre exactly what a test wants, right or wrong, over real HTTP."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

from edge.wire.ledger import GENESIS, chain
from edge.wire.sync import (
    BATCH_TYPE,
    MIN_PROTOCOL,
    PROTOCOL,
    SESSION_HEADER,
    FactRow,
    Hello,
    LedgerBatch,
    NumberRow,
    Packed,
    ReadingsBatch,
    StateBatch,
    StreamHead,
    TextRow,
    pack,
)

ANSWER_S = 30.0
DEVICE = "scripted-device"


class Answer(msgspec.Struct, frozen=True):
    """What the centre said."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """A problem's code, '' where all is well."""
        return str(self.body.get("code", "")) if self.status >= 400 else ""


class ScriptedHub:
    """One site's hub. Use as `async with ScriptedHub(url) as hub`, then `enrol` and `hello`."""

    def __init__(self, url: str, *, series: int = 4) -> None:
        self.url = url
        self.place, self.boot_id, self.run = secrets.token_hex(16), secrets.token_hex(16), secrets.token_hex(8)
        self.token, self.site, self.session = "", "", 0
        self.epochs = {"ledger": secrets.token_hex(8), "readings": secrets.token_hex(8)}
        self.last_hash, self.next_fact, self.next_reading = GENESIS, 1, 1
        self.series = [(number, f"{DEVICE}-{number}", "value") for number in range(1, series + 1)]

    async def __aenter__(self) -> ScriptedHub:
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S), auto_decompress=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def enrol(self, code: str) -> Answer:
        """With the code that the centre gave; keeps the token."""
        body = {"code": code, "place": self.place, "name": "scripted", "version": "test"}
        answer = await self.ask("POST", "/sync/v1/enrol", body)
        if answer.status in (200, 201):
            self.token, self.site = answer.body["token"], answer.body["site"]
        return answer

    async def hello(self, **other: Any) -> Answer:
        """Say hello; `other` replaces what is said. Keeps the session."""
        heads = {
            "ledger": self.head("ledger", self.next_fact - 1),
            "readings": self.head("readings", self.next_reading - 1),
        }
        said = {
            "protocol": PROTOCOL,
            "min_protocol": MIN_PROTOCOL,
            "version": "test",
            "place": self.place,
            "boot_id": self.boot_id,
            "run": self.run,
            "name": "scripted",
            "timezone": "UTC",
            "at_us": now_us(),
            "quality": "ntp",
            **heads,
        }
        answer = await self.ask(
            "POST", "/sync/v1/hello", msgspec.to_builtins(msgspec.convert({**said, **other}, Hello))
        )
        if answer.status == 200:
            self.session = answer.body["session"]
            for stream in self.epochs:
                order = answer.body[stream]["order"]
                if order:
                    await self.begin_epoch(stream)
        return answer

    async def begin_epoch(self, stream: str, **other: Any) -> Answer:
        """Begin the stream's epoch behind nothing."""
        said = {"stream": stream, "epoch": self.epochs[stream], "base": 0, "hash": GENESIS.hex(), "why": "test"}
        return await self.ask("POST", "/sync/v1/epoch", {**said, **other})

    def head(self, stream: str, head: int) -> StreamHead:
        """Where a stream of this hub stands."""
        return StreamHead(epoch=self.epochs[stream], head=head, first=1 if head else 0)

    def facts(self, count: int, **body: Any) -> LedgerBatch:
        """The next facts, chained behind the last ones."""
        previous, first = self.last_hash, self.next_fact
        rows: list[FactRow] = []
        for seq in range(first, first + count):
            text = msgspec.json.encode({"n": seq, **body}).decode()
            plain = (seq, "test.fact", f"{DEVICE}-1", now_us(), "ntp", self.boot_id, seq, text)
            self.last_hash = chain(self.last_hash, plain)
            rows.append((*plain, self.last_hash))
        self.next_fact += count
        return LedgerBatch(epoch=self.epochs["ledger"], first=first, previous=previous, rows=rows)

    def readings(self, count: int, *, texts: list[TextRow] | None = None) -> ReadingsBatch:
        """The next readings, a row after the other through the series."""
        first, at_us = self.next_reading, now_us()
        numbers: list[NumberRow] = [
            (seq, 1 + seq % len(self.series), at_us + seq, 20 + seq % 977 / 37, 0, 2, 0, 1, seq)
            for seq in range(first, first + count)
        ]
        self.next_reading += count
        return ReadingsBatch(
            epoch=self.epochs["readings"],
            first=first,
            last=first + count - 1,
            series=self.series,
            boots=[],
            numbers=numbers,
            texts=texts or [],
        )

    async def send(self, stream: str, batch: Packed | bytes) -> Answer:
        """A batch of `ledger`, `readings` or `state`; bytes go as they are."""
        raw = batch if isinstance(batch, bytes) else pack(batch)
        return await self.ask("POST", f"/sync/v1/{stream}", raw)

    async def heartbeat(self) -> Answer:
        """A state batch with nothing in it."""
        return await self.send("state", StateBatch(rows=[], snapshot_ends=True, report={}))

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; `body` is JSON, or bytes or a stream of them as a batch."""
        given = {**headers}
        if self.token:
            given.setdefault("Authorization", f"Bearer {self.token}")
        if self.session:
            given.setdefault(SESSION_HEADER, str(self.session))
        data: Any = body
        if isinstance(body, dict):
            data = msgspec.json.encode(body)
            given.setdefault("Content-Type", "application/json")
        else:
            given.setdefault("Content-Type", BATCH_TYPE)
        async with self.http.request(method, self.url + path, data=data, headers=given) as response:
            raw = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "") and raw
            return Answer(response.status, dict(msgspec.json.decode(raw)) if is_json else {})


async def zeros(size: int, piece: int = 1024 * 1024) -> AsyncIterator[bytes]:
    """So many bytes, never all at once."""
    for _ in range(0, size, piece):
        yield bytes(piece)
        await asyncio.sleep(0)


def now_us() -> int:
    """The wall clock."""
    return time.time_ns() // 1000
