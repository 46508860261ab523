"""The doors of updates over the network: a board gets its standing offer, piece by piece, and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import msgspec

from edge.settings import Updates
from edge.wire.field import POLL_WAIT_S
from tests.fakes.field_device import FieldDevice
from tests.firmware.apps import App, app
from tests.firmware_bundles import MPY
from tests.firmware_keys import PUBLIC
from tests.integration.field.conftest import Boards, added
from tests.integration.running_hub import QUIET, RunningHub, started, until
from tests.patience import AT_ONCE_S

SMALL, LARGE = MPY + b"a few bytes", MPY + b"many" * 25_000
FILES = {"outpost/agent.mpy": LARGE, "outpost/device.mpy": SMALL}
NEW = app(FILES, version="20261102.000000")
NEWER = app({**FILES, "outpost/more.mpy": MPY}, version="20261103.000000")
RUNS = {"version": "20261101.000000", "chip": "esp32", "micropython": "1.22"}
PIECE = 64 * 1024  # the most of one answer
SLOW_KBIT_S = 8
BYTES = "application/octet-stream"


def name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def mark(wanted: App, attempt: int = 1) -> str:
    return f"{wanted.id[:16]}-{attempt}"


async def holds(hub: RunningHub, *apps: App) -> None:
    """The hub has these."""
    await hub.ask("POST", "/v1/firmware-keys", {"name": "maker", "pem": PUBLIC["first"].pem})
    for one in apps:
        made = await hub.ask("POST", "/v1/artifacts", data=one.bundle())
        assert made.body.get("id") == one.id, made.body


async def assign(hub: RunningHub, board: FieldDevice, wanted: App) -> Any:
    """What is known of the board's firmware then."""
    answer = await hub.ask("PUT", f"/v1/devices/{board.id}/firmware", {"artifact": wanted.id})
    assert answer.status < 300, answer.body
    return await firmware(hub, board)


async def firmware(hub: RunningHub, board: FieldDevice) -> Any:
    return (await hub.get(f"/v1/devices/{board.id}/firmware")).body


async def updatable(hub: RunningHub, board: FieldDevice, name: str = "North") -> FieldDevice:
    """A sensor whose firmware can be updated, in a session."""
    await added(hub, board, name)
    return await there(board)


async def there(board: FieldDevice) -> FieldDevice:
    board.running, board.knows = RUNS, ""
    assert (await board.hello()).status == 200
    return board


async def test_pieces_of_the_standing_offer_and_of_nothing_else(running_hub: RunningHub, board: Boards) -> None:
    await holds(running_hub, NEW, NEWER)
    ours = await updatable(running_hub, board(kind="sensor"))
    other = await updatable(running_hub, board(kind="sensor", chip="A4CF12000002"), "South")
    await assign(running_hub, ours, NEW)
    assert (await ours.poll(0)).body["offer"] == {
        "artifact": NEW.id, "kind": "app", "size": NEW.size, "attempt": 1,
    }  # fmt: skip

    for what, whole in (("manifest", NEW.manifest), ("signatures", NEW.signatures), (name(SMALL), SMALL)):
        given = await ours.fetch(NEW.id, what)
        assert (given.status, given.signed, given.body) == (200, True, whole)
        assert (given.headers["ETag"], given.headers["Content-Type"]) == (f'"{name(whole)}"', BYTES)
        given = await ours.fetch(NEW.id, what, "bytes=3-6")
        assert (given.status, given.signed, given.body) == (206, True, whole[3:7])
        assert given.headers["Content-Range"] == f"bytes 3-6/{len(whole)}"
        past = await ours.fetch(NEW.id, what, f"bytes={len(whole)}-")
        assert (past.status, past.signed, past.body) == (416, True, b"")
        assert past.headers["Content-Range"] == f"bytes */{len(whole)}"

    got = b""
    while len(got) < len(LARGE):  # as much as one answer may have, whatever is asked for
        given = await ours.fetch(NEW.id, name(LARGE), f"bytes={len(got)}-")
        assert (given.status, given.signed, len(given.body) <= PIECE) == (206, True, True)
        got += given.body
    assert got == LARGE

    wrong = ("bytes=5-4", "bytes=-5", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b", "bytes=1")
    refused = [(ours, NEW, name(LARGE), ranged, 400) for ranged in ("", *wrong)]
    refused += [(ours, NEW, name(b"another"), "", 404), (ours, NEWER, "manifest", "", 404)]
    refused += [(other, NEW, what, "", 404) for what in ("manifest", "signatures", name(SMALL))]
    for who, wanted, what, ranged, status in refused:
        given = await who.fetch(wanted.id, what, ranged)
        assert (given.status, given.signed) == (status, True), (what, ranged, given.body)
    assert (await ours.fetch(NEW.id, "../../admin.key")).status in (400, 404)

    await running_hub.ask("DELETE", f"/v1/devices/{ours.id}/firmware")
    assert (await ours.fetch(NEW.id, "manifest")).status == 404
    assert (await ours.poll(0)).body.get("offer") is None


async def test_a_held_poll_ends_when_another_offer_stands_or_none(running_hub: RunningHub, board: Boards) -> None:
    await holds(running_hub, NEW, NEWER)
    ours = await updatable(running_hub, board(kind="sensor"))
    for wanted in (NEW, NEWER, None):
        held = asyncio.create_task(ours.poll(POLL_WAIT_S))

        async def waits() -> bool:
            return running_hub.hub.field._wifi.mailbox(ours.id).held

        await until(waits)
        if wanted is not None:
            await assign(running_hub, ours, wanted)
        else:
            await running_hub.ask("DELETE", f"/v1/devices/{ours.id}/firmware")
        async with asyncio.timeout(AT_ONCE_S):
            said = (await held).body.get("offer")
        assert (said or {}).get("artifact") == (wanted.id if wanted is not None else None)
        ours.knows = mark(wanted) if wanted is not None else ""
    await assign(running_hub, ours, NEW)
    assert (await ours.poll(25)).body["offer"]["attempt"] == 2  # it knows of none, so it is told at once
    ours.knows = None
    assert (await ours.poll(0)).body.get("offer") is None  # this firmware cannot be updated


async def test_who_is_not_approved_or_not_trusted_gets_none(running_hub: RunningHub, board: Boards) -> None:
    await holds(running_hub, NEW)
    stranger = board(kind="sensor")
    assert (await stranger.pair()).status == 200
    await there(stranger)
    place = f"/v1/devices/{stranger.id}"
    refused = await running_hub.ask("PUT", f"{place}/firmware", {"artifact": NEW.id})
    assert (refused.status, refused.code) == (422, "rejected")
    for _ in range(2):
        assert (await stranger.poll(0)).body.get("offer") is None
        assert (await stranger.fetch(NEW.id, "manifest")).status == 404
        await running_hub.ask("POST", f"{place}/approve", {})  # and nobody has compared the code
        await there(stranger)
        state = await assign(running_hub, stranger, NEW)
        assert (state["step"], "key" in state["reason"]) == ("rejected", True), state

    await running_hub.ask("POST", f"{place}/approve", {"code": stranger.code})
    await there(stranger)
    assert (await assign(running_hub, stranger, NEW))["step"] == "offered"
    assert (await stranger.poll(0)).body["offer"]["artifact"] == NEW.id
    (key,) = (await running_hub.get("/v1/firmware-keys")).body["items"]
    await running_hub.ask("DELETE", f"/v1/firmware-keys/{key['id']}")  # it was stolen
    assert (await stranger.poll(0)).body.get("offer") is None
    assert (await stranger.fetch(NEW.id, "manifest")).status == 404


async def test_it_is_confirmed_once_it_has_said_how_it_fares(running_hub: RunningHub, board: Boards) -> None:
    await holds(running_hub, NEW)
    ours = await updatable(running_hub, board(kind="sensor"))
    await assign(running_hub, ours, NEW)
    for step in ("downloading", "verified", "staged"):
        said = await ours.tell(NEW.id, step, done=5, size=NEW.size)
        assert (said.status, said.signed, said.body["step"], said.body["confirm"]) == (200, True, step, False)
    ours.running = {**RUNS, "app": NEW.id, "version": "20261102.000000", "trial": True}
    await ours.hello()
    assert not (await ours.tell(NEW.id, "testing")).body["confirm"]
    await ours.ask("POST", "/v1/device/report", {"health": {"heap": 1}})
    assert (await ours.tell(NEW.id, "testing")).body["confirm"]
    assert (await firmware(running_hub, ours))["trial"]
    await ours.tell(NEW.id, "confirmed")
    state = await firmware(running_hub, ours)
    assert (state["step"], state["app"], state["trial"]) == ("confirmed", NEW.id, False)
    assert (await ours.poll(0)).body.get("offer") is None
    odd = await ours.tell("f" * 64, "testing")  # what nobody offered it
    assert (odd.status, odd.body["confirm"]) == (200, True)
    assert (await ours.tell(NEW.id, "flying")).status == 400


async def test_where_others_are_served_first_it_is_told_when_to_ask_again(tmp_path: Path) -> None:
    slow = msgspec.structs.replace(QUIET, updates=Updates(max_kbit_s=SLOW_KBIT_S))
    async with started(tmp_path, slow) as hub:
        await holds(hub, NEW)
        ours = await updatable(hub, FieldDevice(hub.url, hub.http, kind="sensor"))
        await assign(hub, ours, NEW)
        assert (await ours.fetch(NEW.id, name(LARGE), "bytes=0-")).status == 206
        given = await ours.fetch(NEW.id, name(SMALL))
        assert (given.status, given.signed) == (503, True)
        assert msgspec.json.decode(given.body)["retryable"]
        assert 5 < int(given.headers["Retry-After"]) <= 1 + PIECE / (SLOW_KBIT_S * 1000 / 8)
        assert (await ours.fetch(NEW.id, "manifest")).status == 200  # which takes nothing of the line
