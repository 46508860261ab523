"""Boards over USB through a running hub: its ports, its API, its ledger, its command line."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import sys
from pathlib import Path

import msgspec
import pytest

from edge.errors import BadFirmware
from edge.settings import Serial
from edge.updates.flashing.board_image import read_board_image
from edge.updates.flashing.board_images import COMING_MAX
from edge.updates.signing.bundles import write_bundle
from tests.fakes.rom_loader import Faults
from tests.fakes.usb_board import UsbBoard
from tests.firmware_keys import PUBLIC
from tests.integration.running_hub import QUIET, RunningHub, started, until
from tests.integration.updates.bench import PROGRAM_AT, app, micropython, on_board, press


@contextlib.asynccontextmanager
async def at_hub(folder: Path, board: UsbBoard):
    """A hub that owns the board's port."""
    serial = Serial(scan=False, ports=(f"{board.path}=native@115200",), by_hand=(board.path,))
    settings = msgspec.structs.replace(QUIET, serial=serial)
    async with started(folder, settings) as hub, asyncio.TaskGroup() as group:
        ports = group.create_task(hub.hub.ports.run())
        await until(lambda: _true(bool(hub.hub.ports.views())))
        yield hub
        ports.cancel()


async def _true(value: bool) -> bool:
    return value


async def held(hub: RunningHub) -> tuple[str, str]:
    """A MicroPython and an app that the hub holds; their ids."""
    image, ours = micropython(), app()
    made = await hub.ask("POST", "/v1/board-images?name=GENERIC.bin", data=image.data, key="technician")
    assert made.status == 201, made.body
    assert made.body["chip"] == "esp32"
    assert made.body["slots"] is True
    bundle = io.BytesIO()
    write_bundle(bundle, ours.manifest_bytes, ours.signatures, ours.files)
    await trust_the_maker(hub)
    taken = await hub.ask("POST", "/v1/artifacts", data=bundle.getvalue(), key="technician")
    assert taken.status == 201, taken.body
    return made.body["id"], taken.body["id"]


async def trust_the_maker(hub: RunningHub) -> None:
    trusted = {"name": "maker", "pem": PUBLIC["first"].pem}
    assert (await hub.ask("POST", "/v1/firmware-keys", trusted)).status == 201


async def endless():
    """A sender who never goes on."""
    yield b"\xe9"
    await asyncio.Event().wait()


async def not_taken(hub: RunningHub, wanted: dict) -> None:
    """What nobody trusts any more is put on no board, and so many uploads at once are too many."""
    assert (await hub.ask("DELETE", "/v1/firmware-keys/maker")).status == 204
    stolen = await hub.ask("POST", "/v1/flash", wanted, key="technician")
    assert (stolen.status, stolen.code) == (422, "unsigned")
    await trust_the_maker(hub)

    coming = [
        asyncio.create_task(hub.hub.flashing.images.add(endless(), "x", actor="ann")) for _ in range(COMING_MAX)
    ]
    await asyncio.sleep(0)
    more = await hub.ask("POST", "/v1/board-images?name=x", data=b"x", key="technician")
    assert (more.status, more.code) == (409, "conflict")
    for task in coming:
        task.cancel()
    await asyncio.gather(*coming, return_exceptions=True)


async def helped(hub: RunningHub, board: UsbBoard, job: str) -> dict:
    """Do what the job asks for, until it ends."""
    done: list[str] = []
    while True:
        view = (await hub.get(f"/v1/flash/{job}", key="viewer")).body
        if view["state"] != "running":
            return view
        if view["ask"] and (not done or done[-1] != view["ask"]):
            press(board, view["ask"])
        done.append(view["ask"])
        await asyncio.sleep(0.1)


async def test_the_hub_flashes_a_board_at_its_own_port(tmp_path):
    """Released for the job, one at a time, cancelled for real, given back; what was done is in the ledger."""
    ours = app()
    async with UsbBoard(tmp_path / "board") as board, at_hub(tmp_path / "hub", board) as hub:
        image, artifact = await held(hub)
        assert artifact == ours.id
        board.press()
        wanted = {"path": board.path, "what": "whole", "image": image, "artifact": ours.id}
        await not_taken(hub, wanted)
        refused = [
            ({**wanted, "path": "/dev/ttyNOT"}, 404, "not-found"),
            ({**wanted, "image": ""}, 400, "bad-input"),
            ({**wanted, "image": "0" * 64}, 404, "not-found"),
            ({**wanted, "what": "melt"}, 400, "bad-input"),
        ]
        for body, status, code in refused:
            answer = await hub.ask("POST", "/v1/flash", body, key="technician")
            assert (answer.status, answer.code) == (status, code), answer.body
        assert (await hub.ask("POST", "/v1/flash", wanted, key="viewer")).status == 403

        first = (await hub.ask("POST", "/v1/flash", {**wanted, "what": "erase"}, key="technician")).body
        await until(lambda: _asks(hub, first["id"]))
        busy = await hub.ask("POST", "/v1/flash", wanted, key="technician")
        assert (busy.status, busy.code) == (409, "busy")
        own = await hub.ask("POST", "/v1/ports/action", {"path": board.path, "action": "own"}, key="technician")
        assert own.status == 409
        ended = await hub.ask("POST", f"/v1/flash/{first['id']}/cancel", key="technician")
        assert ended.body["state"] == "cancelled"
        assert (await hub.ask("POST", f"/v1/flash/{first['id']}/cancel", key="technician")).status == 409
        await until(lambda: _owned(hub))

        job = (await hub.ask("POST", "/v1/flash", wanted, key="technician")).body
        view = await helped(hub, board, job["id"])
        assert (view["state"], view["percent"], view["reason"]) == ("done", 100, ""), view
        assert view["board"]["device"] == "246F28A1B2C3"
        assert on_board(board, "a", ours)
        await until(lambda: _online(hub))
        await until(lambda: _told(hub, "board.flashed"))  # a moment behind the job's own end
        facts = {fact["kind"]: fact for fact in await hub.facts()}
        flashed = facts["board.flashed"]
        assert flashed["subject"] == "246F28A1B2C3"
        assert flashed["body"]["artifact"] == ours.id
        assert flashed["body"]["image"] == image
        assert {"board-image.added", "board.work-begun", "board.work-failed"} <= facts.keys()
        kept = [one["id"] for one in (await hub.get("/v1/flash")).body["items"]]
        assert kept == [job["id"], first["id"]]
        listed = (await hub.get("/v1/board-images")).body["items"]
        assert [one["name"] for one in listed] == ["GENERIC.bin"]
        assert (await hub.ask("DELETE", f"/v1/board-images/{image[:12]}", key="technician")).status == 204
        assert (await hub.get("/v1/board-images")).body["items"] == []
        assert not list((tmp_path / "hub" / "board-images").iterdir())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\x7fELF" + b"x" * 100, "an ELF file"),
        (b"PK\x03\x04" + b"x" * 100, "This is an app"),
        (micropython().data[:-5000], "cut off"),
        (bytes(micropython().data[:-300]) + b"?" * 300, "damaged"),
    ],
    ids=["elf", "bundle", "cut", "damaged"],
)
async def test_what_is_no_firmware_is_not_taken_in(body, says):
    with pytest.raises(BadFirmware, match=says):
        read_board_image(body)


async def test_the_command_line_shows_how_far_it_is_without_a_terminal(tmp_path):
    """`outpost firmware flash --serial PATH`: no hub, a line a step on stderr, facts on stdout."""
    image = micropython()
    (tmp_path / "mp.bin").write_bytes(image.data)
    async with UsbBoard(tmp_path / "board", faults=Faults(wrong_md5=1)) as board:
        board.press(boot=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "edge.cli", "firmware", "flash", "--serial", board.path, "--by-hand",
            "--micropython", tmp_path / "mp.bin", "--sha256", hashlib.sha256(image.data).hexdigest(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={"XDG_STATE_HOME": str(tmp_path), "PATH": ""},
        )  # fmt: skip
        said: list[str] = []
        async with asyncio.timeout(60):
            async for raw in process.stderr:
                line = raw.decode().strip()
                said.append(line)
                if line.startswith(">> "):
                    press(board, line.removeprefix(">> "))
            out = (await process.stdout.read()).decode()
        assert await process.wait() == 0, said
        assert bytes(board.loader.flash[0x10000:]).startswith(image.data[PROGRAM_AT:])
    text = "\n".join(said)
    assert "% " in text
    assert "Writing MicroPython" in text
    assert "246F28A1B2C3" in out


async def _asks(hub: RunningHub, job: str) -> bool:
    return bool((await hub.get(f"/v1/flash/{job}")).body["ask"])


async def _owned(hub: RunningHub) -> bool:
    return (await hub.get("/v1/ports")).body["items"][0]["owner"] == "hub"


async def _told(hub: RunningHub, kind: str) -> bool:
    return kind in {fact["kind"] for fact in await hub.facts()}


async def _online(hub: RunningHub) -> bool:
    return bool((await hub.get("/v1/ports")).body["items"][0]["device"])
