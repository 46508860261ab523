"""A hub as the centre hears it: its ledger and readings in memory, and every question of the conversation.

It asks exactly what a test tells it to ask, also what no hub would.
"""

from __future__ import annotations

import copy
import io
import secrets
from typing import Any

import aiohttp
import msgspec

from edge.wire.ledger import GENESIS, Fact, chain
from edge.wire.sync import (
    BATCH_TYPE,
    PROTOCOL,
    ROWS_MAX,
    SESSION_HEADER,
    BeginEpoch,
    Compare,
    Enrol,
    FactRow,
    Hello,
    LedgerBatch,
    NumberRow,
    ReadingsBatch,
    SiteReport,
    StateBatch,
    StateRow,
    StreamHead,
    TextRow,
    pack,
    readings_digest,
)
from tests.integration.running_hub import Answer

NOW_US = 1_790_000_000_000_000
NTP = 2


class SyncHub:
    """One hub. `copied` gives its memory card as it is now, put into another board or put back later."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, *, place: str = "here", boot_id: str = "boot-1"
    ) -> None:
        self.http, self.url, self.place, self.boot_id = http, url, place, boot_id
        self.token, self.site, self.session = "", "", 0
        self.at_us = NOW_US
        self.epochs = {"ledger": secrets.token_hex(8), "readings": secrets.token_hex(8)}
        self.facts: list[FactRow] = []
        self.readings: list[NumberRow | TextRow] = []  # number n is at n - 1
        self.series: dict[tuple[str, str], int] = {}
        self.boots: dict[str, int] = {boot_id: 1}

    # --- what it has

    def fact(self, kind: str = "device.renamed", subject: str = "dev-1", /, **body: Any) -> FactRow:
        """Write a fact."""
        self.at_us += 1_000
        previous = self.facts[-1][8] if self.facts else GENESIS
        told = msgspec.json.encode(body).decode()
        row = (len(self.facts) + 1, kind, subject, self.at_us, "ntp", self.boot_id, self.at_us // 1000, told)
        self.facts.append((*row, chain(previous, row)))
        return self.facts[-1]

    def reading(self, value: float | bool | str, *, device: str = "dev-1", key: str = "temperature") -> None:
        """Take a reading."""
        self.at_us += 1_000
        series = self.series.setdefault((device, key), len(self.series) + 1)
        kind = 2 if isinstance(value, str) else int(isinstance(value, bool))
        plain = value if isinstance(value, str) else float(value)
        row: Any = (len(self.readings) + 1, series, self.at_us, plain, kind, NTP, 0, -1, self.at_us // 1000)
        self.readings.append(row)

    def poison(self, seq: int, **changed: Any) -> None:
        """Write fact `seq` otherwise, and all behind it anew."""
        rows, self.facts = self.facts, self.facts[: seq - 1]
        for row in rows[seq - 1 :]:
            plain = {**dict(zip(Fact.__struct_fields__, row, strict=True)), **(changed if row[0] == seq else {})}
            values: Any = tuple(plain[name] for name in Fact.__struct_fields__[:-1])
            previous = self.facts[-1][8] if self.facts else GENESIS
            self.facts.append((*values, chain(previous, values)))

    def copied(self) -> SyncHub:
        """The same hub with files of its own, as they are now."""
        other = copy.copy(self)
        for name in ("epochs", "facts", "readings", "series", "boots"):
            setattr(other, name, copy.copy(getattr(self, name)))
        return other

    def digest(self, seq: int) -> str:
        """What reading `seq` is known by."""
        _, series, at_us, value, kind, *_, mono_ms = self.readings[seq - 1]
        device, key = next(name for name, number in self.series.items() if number == series)
        return readings_digest(device, key, at_us, value, kind, mono_ms).hex()

    def kept_at(self, seq: int) -> tuple[str, str, int]:
        """Device, key and time of reading `seq`."""
        _, series, at_us, *_ = self.readings[seq - 1]
        return *next(name for name, number in self.series.items() if number == series), at_us

    # --- what it asks

    async def ask(self, path: str, body: bytes, *, token: str | None = None, **headers: str) -> Answer:
        """POST these bytes under /sync/v1."""
        given = {"Authorization": f"Bearer {self.token if token is None else token}", "Content-Type": BATCH_TYPE}
        if self.session:
            given[SESSION_HEADER] = str(self.session)
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        async with self.http.post(f"{self.url}/sync/v1/{path}", data=io.BytesIO(body), headers=given) as response:
            raw = await response.read()
            return Answer(response.status, dict(response.headers), msgspec.json.decode(raw) if raw else None)

    async def enrol(self, code: str) -> None:
        """Show the code, and keep the token."""
        asked = Enrol(code=code, place=self.place, name="Pi", version="1.0")
        answer = await self.ask("enrol", msgspec.json.encode(asked), token="none")
        assert answer.status == 200, answer
        self.token, self.site = answer.body["token"], answer.body["site"]

    async def hello(self, **changed: Any) -> Answer:
        """Begin a session. `changed`: what of the hello is to be otherwise."""
        hello = Hello(
            protocol=PROTOCOL,
            min_protocol=PROTOCOL,
            version="1.0",
            place=self.place,
            boot_id=self.boot_id,
            run=secrets.token_hex(4),
            name="Pi",
            timezone="Europe/Berlin",
            at_us=self.at_us,
            quality="ntp",
            ledger=StreamHead(epoch=self.epochs["ledger"], head=len(self.facts), first=1),
            readings=StreamHead(epoch=self.epochs["readings"], head=len(self.readings), first=1),
        )
        body = {**msgspec.to_builtins(hello), **changed}
        answer = await self.ask("hello", msgspec.json.encode(body))
        if answer.status == 200:
            self.session = answer.body["session"]
        return answer

    def ledger_batch(self, first: int, last: int) -> LedgerBatch:
        """These facts."""
        previous = self.facts[first - 2][8] if first > 1 else GENESIS
        return LedgerBatch(self.epochs["ledger"], first, previous, self.facts[first - 1 : last])

    def readings_batch(self, first: int, last: int) -> ReadingsBatch:
        """These readings, with all series and boots."""
        rows = self.readings[first - 1 : last]
        numbers: list[Any] = [row for row in rows if row[4] != 2]
        texts: list[Any] = [row for row in rows if row[4] == 2]
        series = [(number, device, key) for (device, key), number in self.series.items()]
        boots = [(number, boot_id) for boot_id, number in self.boots.items()]
        return ReadingsBatch(self.epochs["readings"], first, last, series, boots, numbers, texts)

    async def send_facts(self, first: int, last: int) -> Answer:
        """Send these facts."""
        return await self.ask("ledger", pack(self.ledger_batch(first, last)))

    async def send_readings(self, first: int, last: int) -> Answer:
        """Send these readings."""
        return await self.ask("readings", pack(self.readings_batch(first, last)))

    async def send_states(self, *rows: StateRow, snapshot_ends: bool = False, **report: Any) -> Answer:
        """Tell of the present. `report`: what of the report is to be otherwise."""
        told = SiteReport(
            at_us=self.at_us,
            quality="ntp",
            ledger_head=len(self.facts),
            readings_head=len(self.readings),
            dead_letters=0,
            buffer_bytes=0,
            buffer_max_bytes=1,
            bytes_per_day=None,
            devices=1,
            online=1,
            problems=[],
        )
        body = {**msgspec.to_builtins(told), **report}
        return await self.ask("state", pack(StateBatch(list(rows), snapshot_ends, body)))

    async def compare(self, stream: str, *points: tuple[int, str]) -> list[bool]:
        """Which rows the centre has."""
        places = [self.kept_at(seq) for seq, _ in points] if stream == "readings" else []
        asked = Compare(stream=stream, points=list(points), places=places)
        answer = await self.ask("compare", msgspec.json.encode(asked))
        assert answer.status == 200, answer
        return list(answer.body["same"])

    async def begin_epoch(self, stream: str, base: int, told: str | None = None) -> Answer:
        """Go on under a new epoch behind row `base`."""
        if told is None:
            told = "" if not base else self.facts[base - 1][8].hex() if stream == "ledger" else self.digest(base)
        self.epochs[stream] = secrets.token_hex(8)
        place = self.kept_at(base) if stream == "readings" and 0 < base <= len(self.readings) else None
        began = BeginEpoch(
            stream=stream, epoch=self.epochs[stream], base=base, hash=told, why="restored", place=place
        )
        return await self.ask("epoch", msgspec.json.encode(began))

    async def bye(self) -> Answer:
        """Stop."""
        return await self.ask("bye", b"{}")

    async def catch_up(self) -> None:
        """What a hub does by itself: say hello, part where it has to, and send all that is wanted."""
        for stream, following in (await self.join()).items():
            await self._send_from(stream, following)

    async def join(self) -> dict[str, int]:
        """Say hello, and begin new epochs where the centre's rows are others; what each stream wants next."""
        answer = await self.hello()
        assert answer.status == 200, answer
        wanted = {}
        for stream in ("ledger", "readings"):
            state = answer.body[stream]
            if await self._parted(stream, state):
                began = await self.begin_epoch(stream, await self._last_common(stream, state))
                assert began.status == 200, began
                state = began.body
            wanted[stream] = state["next"]
        return wanted

    async def _parted(self, stream: str, state: dict[str, Any]) -> bool:
        high = state["high"]
        if state["epoch"] != self.epochs[stream] or high > self._head(stream):
            return True
        return high > 0 and self._known_by(stream, high) != state["high_hash"]

    async def _last_common(self, stream: str, state: dict[str, Any]) -> int:
        there = [(1, state["next"] - 1), *map(tuple, state["ranges"])]
        asked = [seq for low, high in there for seq in range(low, min(high, self._head(stream)) + 1)]
        low, high = 0, len(asked)  # how many of them are the same: at least, at most
        while low < high:
            middle = (low + high + 1) // 2
            seq = asked[middle - 1]
            if (await self.compare(stream, (seq, self._known_by(stream, seq))))[0]:
                low = middle
            else:
                high = middle - 1
        return asked[low - 1] if low else 0

    async def _send_from(self, stream: str, following: int) -> None:
        while following <= self._head(stream):
            last = min(following + ROWS_MAX - 1, self._head(stream))
            send = self.send_facts if stream == "ledger" else self.send_readings
            answer = await send(following, last)
            assert answer.status == 200, answer
            following = answer.body["next"]

    def _head(self, stream: str) -> int:
        return len(self.facts if stream == "ledger" else self.readings)

    def _known_by(self, stream: str, seq: int) -> str:
        return self.facts[seq - 1][8].hex() if stream == "ledger" else self.digest(seq)
