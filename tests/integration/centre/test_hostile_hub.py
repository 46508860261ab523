"""Hubs that are broken, outdated, revoked or up to no good, at the real `outpost cloud`: each gets a clear answer,
the centre's memory stays bounded, and what others send goes on meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import psutil
import pytest
import pytest_asyncio
import zstandard

from edge.wire.sync import PROTOCOL, SESSION_HEADER
from tests.centre_process import CentreProcess
from tests.fakes.scripted_hub import Answer, ScriptedHub
from tests.running_centre import database_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

GB, MB = 1024**3, 1024**2
ROOM_MB = 160  # what the centre may grow by under attack: two full batches being unpacked, and their rows
GOOD_PAUSE_S = 0.05
_numbers = itertools.count(1)
at_the_door = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # what no engine gets to see
Centres = Callable[[str], Awaitable[CentreProcess]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centres]:
    """Gives the centre over an engine, a process of its own, which is started when first asked for."""
    running: dict[str, CentreProcess] = {}
    async with contextlib.AsyncExitStack() as stack:

        async def over(engine: str) -> CentreProcess:
            if engine not in running:
                database = await stack.enter_async_context(database_of(engine))
                centre = CentreProcess(tmp_path_factory.mktemp("centre"), database=database)
                await centre.start()
                stack.push_async_callback(centre.stop)
                running[engine] = centre
            return running[engine]

        yield over


@pytest_asyncio.fixture(loop_scope="module")
async def process(centres: Centres, engine: str) -> CentreProcess:
    """The centre over this test's engine. Each test brings hubs of its own."""
    return await centres(engine)


@contextlib.asynccontextmanager
async def a_hub(centre: CentreProcess) -> AsyncIterator[ScriptedHub]:
    """One that is enrolled for a new site and has said hello."""
    site = {"name": f"Site {next(_numbers)}"}
    async with centre.session() as office, office.post("/v1/sites", json=site) as response:
        assert response.status == 201, await response.text()
        code = (await response.json())["code"]
    async with ScriptedHub(centre.url) as hub:
        assert (await hub.enrol(code)).status in (200, 201)
        assert (await hub.hello()).status == 200
        yield hub


@contextlib.asynccontextmanager
async def others_work(centre: CentreProcess) -> AsyncIterator[None]:
    """A well-behaved hub sends facts and readings meanwhile, all of which are taken; the centre stays small."""
    main = psutil.Process(centre.pid)
    async with a_hub(centre) as good:
        assert (await good.send("ledger", good.facts(5))).status == 200
        before, most, sent = main.memory_info().rss, 0, 0

        async def send() -> None:
            nonlocal most, sent
            while True:
                for stream, batch in (("ledger", good.facts(5)), ("readings", good.readings(50))):
                    answer = await good.send(stream, batch)
                    assert answer.status == 200, answer
                sent += 1
                most = max(most, main.memory_info().rss)
                await asyncio.sleep(GOOD_PAUSE_S)

        task = asyncio.create_task(send())
        try:
            yield
            done = sent
            async with asyncio.timeout(60):
                while sent < done + 2 and not task.done():  # noqa: ASYNC110 - it goes on behind a socket
                    await asyncio.sleep(GOOD_PAUSE_S)
        finally:
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended
        assert most < before + ROOM_MB * MB, f"grew from {before / MB:.0f} to {most / MB:.0f} MB"


async def test_a_poisoned_row_stands_in_nobodys_way(process: CentreProcess) -> None:
    async with a_hub(process) as hub, others_work(process):
        good, poisoned = hub.facts(2), hub.facts(1, text="\0")
        assert (await hub.send("ledger", good)).status == 200
        answer = await hub.send("ledger", poisoned)
        if answer.status != 200:  # a NUL within JSON text is escaped, so it may well be taken
            refused(answer, 422, "row-rejected")
        batch = hub.readings(10)
        rows = [list(row) for row in batch.numbers]
        for bad in (2**70, -(2**70), 2**63):
            rows[4][2] = bad
            refused(await hub.send("readings", packed(batch, rows)), 422, "row-rejected")
        rows[4][2], rows[4][3] = batch.numbers[4][2], "a text where a number belongs"
        refused(await hub.send("readings", packed(batch, rows)), 422, "row-rejected")
        # the hub leaves it out, and the rest flows
        without = msgspec.structs.replace(batch, numbers=[*batch.numbers[:4], *batch.numbers[5:]])
        answer = await hub.send("readings", without)
        assert answer.status == 200
        assert answer.body["next"] == batch.last + 1


async def test_a_text_with_a_nul_is_refused_alone(process: CentreProcess) -> None:
    async with a_hub(process) as hub:
        text = (1, 1, 1_763_700_000_000_000, "half\0text", 2, 2, 0, 1, 1)
        batch = msgspec.structs.replace(hub.readings(1), numbers=[], texts=[text])
        refused(await hub.send("readings", batch), 422, "row-rejected")
        assert (await hub.send("readings", msgspec.structs.replace(batch, texts=[]))).status == 200


async def test_a_wrong_epoch_is_not_mixed_in(process: CentreProcess) -> None:
    async with a_hub(process) as hub, others_work(process):
        assert (await hub.send("ledger", hub.facts(3))).status == 200
        strange = msgspec.structs.replace(hub.facts(2), epoch="0" * 16)
        answer = await hub.send("ledger", strange)
        assert answer.status == 409
        assert answer.code in ("expects", "forked")
        forked = msgspec.structs.replace(strange, epoch=hub.epochs["ledger"], previous=bytes(range(16)))
        refused(await hub.send("ledger", forked), 409, "forked")
        strange_readings = msgspec.structs.replace(hub.readings(2), epoch="0" * 16)
        refused(await hub.send("readings", strange_readings), 409, "expects")


async def test_a_protocol_of_the_future_is_told_which_are_spoken(process: CentreProcess) -> None:
    async with a_hub(process) as hub:
        answer = await hub.hello(protocol=PROTOCOL + 7, min_protocol=PROTOCOL + 6)
        refused(answer, 409, "protocol")
        assert str(PROTOCOL) in answer.body["detail"]
        assert str(PROTOCOL + 6) in answer.body["detail"]
        newer = await hub.hello(protocol=PROTOCOL + 7, min_protocol=PROTOCOL)  # speaks ours too
        assert newer.status == 200
        assert newer.body["protocol"] == PROTOCOL


async def test_a_revoked_token_is_refused_at_once(process: CentreProcess) -> None:
    async with a_hub(process) as hub, process.session() as office:
        assert (await hub.send("ledger", hub.facts(1))).status == 200
        async with office.post(f"/v1/sites/{hub.site}/revoke") as response:
            assert response.status == 200, await response.text()
        for answer in (await hub.send("ledger", hub.facts(1)), await hub.hello(), await hub.heartbeat()):
            assert answer.status == 401
            assert answer.code in ("revoked", "unauthenticated")
            assert answer.body["hint"]
        hub.token = "site_" + "x" * 43
        refused(await hub.hello(), 401, "unauthenticated")


@at_the_door
async def test_two_gigabytes_are_not_read(process: CentreProcess) -> None:
    async with a_hub(process) as hub, others_work(process):
        for length in (f"Content-Length: {2 * GB}", "Transfer-Encoding: chunked"):
            said, taken = await poured(process, hub, length)
            assert taken < 64 * MB, f"it took {taken / MB:.0f} MB ({length})"
            status = int(said.split()[1])
            assert status in (411, 413), said[:200]


@at_the_door
async def test_a_zip_bomb_is_not_unpacked(process: CentreProcess) -> None:
    told = zstandard.ZstdCompressor(write_content_size=True).compress(bytes(GB))
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(GB))
    deep = zstandard.ZstdCompressor().compress(b"\x91" * 1_000_000)  # arrays within arrays
    wide = zstandard.ZstdCompressor().compress(b"\xdd\xff\xff\xff\xff")  # says it has 4 billion rows
    assert max(map(len, (told, silent, deep, wide))) < MB
    async with a_hub(process) as hub, others_work(process):
        for bomb in (told, silent, deep, wide, b"", b"no zstd at all"):
            for stream in ("ledger", "readings", "state"):
                answer = await hub.send(stream, bomb)
                assert answer.status in (400, 413, 422), (stream, bomb[:8], answer)
                assert answer.code
        bombs = await asyncio.gather(*(hub.send("readings", told) for _ in range(40)))
        assert {answer.status for answer in bombs} <= {400, 413, 429, 503}


def refused(answer: Answer, status: int, code: str) -> None:
    """A problem of that kind, which says what to do."""
    assert (answer.status, answer.code) == (status, code), answer
    assert answer.body["detail"]
    assert answer.body["hint"]


def packed(batch: object, rows: list[list[object]]) -> bytes:
    """A batch of readings with rows as they are given, whatever is in them."""
    fields = list(msgspec.structs.astuple(batch))  # type: ignore[type-var]
    fields[6] = rows
    return zstandard.ZstdCompressor().compress(_encode(fields))


def _encode(value: object) -> bytes:
    """MessagePack, also of numbers that have no place in it: as the largest there is, plus one (a float)."""

    def fit(item: object) -> object:
        if isinstance(item, list | tuple):
            return [fit(each) for each in item]
        return float(item) if isinstance(item, int) and not -(2**63) <= item < 2**64 else item

    return msgspec.msgpack.encode(fit(value))


async def poured(centre: CentreProcess, hub: ScriptedHub, length: str) -> tuple[str, int]:
    """Send up to 2 GB as a batch until the centre has had enough; what it said, and how much it took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", centre.port)
    head = f"POST /sync/v1/readings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {hub.token}\r\n"
    writer.write(f"{head}{SESSION_HEADER}: {hub.session}\r\n{length}\r\n\r\n".encode())
    answer = asyncio.create_task(reader.read(4096))
    piece = bytes(MB)
    if "chunked" in length:
        piece = f"{MB:x}\r\n".encode() + piece + b"\r\n"
    taken = 0
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(60):
            while taken < 2 * GB and not answer.done():
                writer.write(piece)
                await writer.drain()
                taken += MB
                await asyncio.sleep(0)
    said = b""
    with contextlib.suppress(ConnectionError):
        said = await asyncio.wait_for(answer, 60)
    writer.transport.abort()
    return said.decode("latin-1"), taken
