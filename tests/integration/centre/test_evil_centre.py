"""A hub whose centre is none, or has gone mad: the site works on, memory stays bounded, nothing is believed that
cannot be, nothing is followed elsewhere; and once the true centre answers again, all is caught up."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import msgspec
import psutil
import pytest
import pytest_asyncio
from aiohttp import web

from tests.centre_process import CentreProcess
from tests.fakes.meddler import Meddler, Trick
from tests.hub_process import HubProcess
from tests.patience import AT_ONCE_S

MB = 1024**2
ROOM_MB = 100  # what the hub may grow by
SYNC_S = 60.0
HELLOS_MAX = 20  # a second: a hub does not hammer a centre that makes no sense
POST_EVERY_S = 0.1
RESTART_EVERY = 4
PATHS = ("hello", "ledger", "readings", "state", "inbox")


pytestmark = pytest.mark.asyncio(loop_scope="module")


class World(msgspec.Struct):
    """A hub, its true centre, and what stands between them."""

    hub: HubProcess
    meddler: Meddler
    device: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Enrolled and synced; each test leaves it to the next with the truth restored."""
    folder = tmp_path_factory.mktemp("world")
    centre, hub = CentreProcess(folder / "centre"), HubProcess(folder / "hub")
    await asyncio.gather(centre.start(), hub.start())
    try:
        async with Meddler(centre.url) as meddler, centre.session() as office, hub.session() as desk:
            meddler.tricks = {"hello": asks_each_second}
            code = (await posted(office, "/v1/sites", {"name": "A"}))["code"]
            await posted(desk, "/v1/sync/enrol", {"code": code, "url": meddler.url})
            added = await posted(desk, "/v1/devices", {"name": "s", "kind": "sensor", "profile": "native"})
            await synced(desk)
            meddler.tricks = {}
            yield World(hub, meddler, added["id"])
    finally:
        await hub.stop()
        await centre.stop()


@contextlib.asynccontextmanager
async def the_site_works(world: World) -> AsyncIterator[None]:
    """Devices post meanwhile, and each is answered in time; the hub stays small, and does not hammer its centre."""
    process = psutil.Process(world.hub.pid)
    before, asked, most = process.memory_info().rss, world.meddler.asked["hello"], 0

    async def post() -> None:
        nonlocal most
        async with world.hub.session() as desk:
            for number in itertools.count():
                async with asyncio.timeout(AT_ONCE_S):
                    await posted(desk, f"/v1/devices/{world.device}/readings", {"values": {"n": number}})
                most = max(most, process.memory_info().rss)
                await asyncio.sleep(POST_EVERY_S)

    task = asyncio.create_task(post())
    began = asyncio.get_running_loop().time()
    try:
        yield
    finally:
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError), ended
    assert most < before + ROOM_MB * MB, f"grew from {before / MB:.0f} to {most / MB:.0f} MB"
    took = asyncio.get_running_loop().time() - began
    assert world.meddler.asked["hello"] - asked < HELLOS_MAX * max(1.0, took)


async def asked_again(world: World, path: str, times: int = 1) -> None:
    """Wait until the hub has asked for that so often more."""
    wanted = world.meddler.asked[path] + times
    async with asyncio.timeout(SYNC_S):
        while world.meddler.asked[path] < wanted:  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.02)


async def the_truth_returns(world: World) -> dict[str, Any]:
    """The true centre answers again and the hub starts again, so that it need not be waited for; how its syncing
    stands once nothing waits."""
    world.meddler.tricks = {"hello": asks_each_second}
    await world.hub.stop()
    await world.hub.start()
    async with world.hub.session() as desk:
        view = await synced(desk)
    world.meddler.tricks = {}
    assert all(lane["next"] == lane["head"] + 1 for lane in view["lanes"]), view
    return view


async def sync_view(world: World) -> dict[str, Any]:
    """How the hub says that its syncing stands."""
    async with world.hub.session() as desk, desk.get("/v1/sync") as response:
        return dict(await response.json())


def says(body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> Trick:
    """Always this answer."""

    async def trick(request: web.Request, true_status: int, true_body: bytes) -> web.StreamResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers={"Content-Type": kind, **given})

    return trick


def changes(change: Callable[[dict[str, Any]], object]) -> Trick:
    """The true answer, changed; what is no 200 stays as it is."""

    async def trick(request: web.Request, status: int, body: bytes) -> web.StreamResponse:
        if status == 200:
            told = msgspec.json.decode(body)
            change(told)
            body = msgspec.json.encode(told)
        return web.Response(status=status, body=body, content_type="application/json")

    return trick


# the hub asks for its inbox anew each second, so that what a test puts there is seen soon
asks_each_second = changes(lambda told: told.update(inbox_wait_s=1))


async def pours(request: web.Request, status: int, body: bytes) -> web.StreamResponse:
    """An answer without an end."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        for _ in range(1000):
            await response.write(b"[" * MB)
    return response


async def trickles(request: web.Request, status: int, body: bytes) -> web.StreamResponse:
    """An answer that never gets on."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.2)
    return response


NONSENSE: dict[str, Trick] = {
    "portal": says(b"<html>Please log in</html>", kind="text/html"),
    "no-json": says(b"\xff\xfe\x00{"),
    "deep": says(b"[" * 500_000),
    "wrong-types": says(b'{"protocol": "one", "session": [], "ledger": 7}'),
    "empty": says(b""),
    "error-page": says(b"<h1>Bad gateway</h1>", status=502, kind="text/html"),
    "long-error": says(b'{"type":"/problems/x","title":"' + b"a" * 900_000 + b'"}', status=409),
    "gzip": says(b"\x1f\x8b" + bytes(1000), Content_Encoding="gzip"),
    "pours": pours,
    "trickles": trickles,
}


async def test_answers_that_make_no_sense(world: World) -> None:
    for number, (name, trick) in enumerate(NONSENSE.items()):
        if number % RESTART_EVERY == 0:  # the pauses between its tries grow
            await world.hub.stop()
            await world.hub.start()
        async with the_site_works(world):
            world.meddler.tricks = dict.fromkeys(PATHS, trick)
            await asked_again(world, "hello")
            await asyncio.sleep(0.2)
            assert (await sync_view(world))["state"] != "live", name
    await the_truth_returns(world)


async def test_nothing_is_followed_elsewhere(world: World) -> None:
    hits = []

    async def hit(request: web.Request) -> web.Response:
        hits.append(request.path)
        return web.Response(body=b"{}", content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hit)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there = f"http://127.0.0.1:{runner.addresses[0][1]}/sync/v1/hello"
    try:
        world.meddler.tricks = dict.fromkeys(PATHS, says(b"", status=307, Location=there))
        await asked_again(world, "hello", 2)
    finally:
        await runner.cleanup()
    assert not hits, "the token went elsewhere"
    await the_truth_returns(world)


async def test_more_is_acknowledged_than_was_sent(world: World) -> None:
    """What was never sent counts as not there, whatever the centre says."""
    far = 2**40
    world.meddler.tricks = {
        stream: changes(lambda told: told.update(next=far)) for stream in ("ledger", "readings")
    }
    async with the_site_works(world):
        await asked_again(world, "readings")
        await asyncio.sleep(0.5)
        lanes = (await sync_view(world))["lanes"]
        assert all(lane["next"] <= lane["head"] + 1 for lane in lanes), lanes
    await the_truth_returns(world)


async def test_a_welcome_beyond_all_bounds(world: World) -> None:
    def absurd(told: dict[str, Any]) -> None:
        ranges = [[2**62, 2**63 - 1]] * 500
        for stream in ("ledger", "readings"):
            told[stream].update(next=2**62, high=2**62, ranges=ranges, series=2**62, boots=2**62)
        told["inbox_wait_s"] = 1e300

    def order(told: dict[str, Any]) -> None:
        for stream in ("ledger", "readings"):
            told[stream].update(order="new-epoch", why="because")

    for trick in (absurd, order):
        world.meddler.tricks = {"hello": changes(trick), "state": says(b"", status=500)}
        async with the_site_works(world):
            await asked_again(world, "hello", 3)
    await the_truth_returns(world)


async def test_an_inbox_full_of_rubbish(world: World) -> None:
    """Each item is refused by itself, with a fact; those after it are heard."""
    rubbish = list(items_of_rubbish(world.device))

    async def inbox(request: web.Request, status: int, body: bytes) -> web.StreamResponse:
        after = int(request.query.get("after", "0"))
        items = [item for item in rubbish if item["seq"] > after]
        if not items:
            await asyncio.sleep(0.5)
        return web.json_response({"items": items})

    world.meddler.tricks = {"inbox": inbox}
    async with the_site_works(world):
        async with asyncio.timeout(SYNC_S):
            while len(told := await ends_of_items(world)) < len(rubbish):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.1)
    assert set(told.values()) == {"inbox.refused"}, told
    await the_truth_returns(world)


def items_of_rubbish(device: str) -> Iterator[dict[str, Any]]:
    """Items that no true centre sends."""
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    vend = {"id": "c1", "device": device, "kind": "vend", "args": {"slot": "one"}, "agent": ""}
    bodies: list[tuple[str, Any]] = [
        ("no-such-kind", {}),
        ("command", {}),
        ("command", {"id": "x" * 5000, "device": "nobody", "kind": "display_qr", "args": {}, "agent": ""}),
        ("command", vend),
        ("command", {**vend, "kind": "format_c", "args": deep}),
        ("command", {"id": 7, "device": None, "kind": [], "args": "no"}),
        ("cancel", {"command": "nothing", "reason": "r" * 100_000}),
        ("resolve", {"command": "nothing", "outcome": "maybe", "note": "\0"}),
        ("twin", {"device": "nobody", "desired": {"a": deep}}),
        ("link", {"agent": "é" * 300, "name": "", "device": "nobody", "computer_name": ""}),
    ]
    for seq, ((kind, body), ttl) in enumerate(itertools.product(bodies, (None, -1, 10**15)), 1):
        yield {"seq": seq, "id": f"item-{seq}", "kind": kind, "body": body, "actor": "evil", "ttl_ms": ttl}


async def ends_of_items(world: World) -> dict[str, str]:
    """What the ledger says became of each item."""
    async with world.hub.session() as desk, desk.get("/v1/ledger?limit=500") as response:
        facts = (await response.json())["items"]
    return {fact["subject"]: fact["kind"] for fact in facts if fact["kind"].startswith("inbox.")}


async def synced(desk: aiohttp.ClientSession) -> dict[str, Any]:
    """Wait until nothing waits."""
    view: dict[str, Any] = {}
    try:
        async with asyncio.timeout(SYNC_S):
            while view.get("state") != "live" or any(lane["waiting"] for lane in view["lanes"]):
                await asyncio.sleep(0.05)
                async with desk.get("/v1/sync") as response:
                    view = await response.json()
    except TimeoutError:
        raise AssertionError(f"not synced: {view}") from None
    return view


async def posted(session: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer to a POST that is taken."""
    async with session.post(path, json=body) as response:
        assert response.status in (200, 201), await response.text()
        return dict(await response.json())
