"""The newcomer's story: one command, one request, and the payment code on the screen scans to the same text."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import aiohttp
import msgspec

from edge.client import answers
from edge.sim.field_site import MACHINE, WATCHED
from edge.sim.site import PAYLOAD
from tests.e2e.cli import Done, outpost, outpost_process

READY_S = 60.0
SHOWN_S = 60.0


async def test_from_one_command_to_a_code_that_scans(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge.cli", "demo", "--headless"),
        *("--listen", "127.0.0.1:0", "--cloud-listen", "127.0.0.1:0", "--data-dir", str(folder)),
        stdout=PIPE,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    try:
        assert demo.stdout is not None
        said = ""
        async with asyncio.timeout(READY_S):
            while "Ctrl-C" not in said:
                said += (await demo.stdout.readline()).decode()
        await _try_what_it_says(said, folder)
        demo.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            assert await demo.wait() == 0
        assert not (folder / "hub.sock").exists()
    finally:
        if demo.returncode is None:
            demo.kill()
            await demo.wait()


async def test_a_taken_port_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        words = ("demo", "--headless", "--cloud-listen", address, "--data-dir", str(tmp_path))
        told = await asyncio.to_thread(outpost_process, *words)
    first, second = told.err.splitlines()
    assert told.code == 3
    assert first.endswith(f"did not start: {address} cannot be listened on: address already in use."), first
    assert "--cloud-listen" in second


async def test_a_demo_that_is_ended_while_it_starts_takes_everything_along(tmp_path: Path) -> None:
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge.cli", "demo", "--headless"),
        *("--listen", "127.0.0.1:0", "--cloud-listen", "127.0.0.1:0", "--data-dir", str(tmp_path)),
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(READY_S):
        while not await asyncio.to_thread((tmp_path / "hub.log").exists):
            pass
        demo.terminate()
        assert await demo.communicate() == (b"", b"")
    assert demo.returncode == 143
    for folder, name in ((tmp_path, "hub.sock"), (tmp_path / "centre", "cloud.sock")):
        assert not await answers(folder / name)


async def _try_what_it_says(said: str, folder: Path) -> None:
    url = re.search(r"^ready demo (\S+)$", said, re.MULTILINE)
    assert url is not None
    (curl,) = [line.strip() for line in said.splitlines() if line.strip().startswith("curl ")]
    async with aiohttp.ClientSession() as session:
        async with asyncio.timeout(SHOWN_S):
            answer = await _curled(session, curl)
        assert answer["success"] is True
        command_id = answer["command_id"]
        listing = await _verb("command", "show", command_id, "--json", "--data-dir", str(folder))
        async with asyncio.timeout(SHOWN_S):
            while (shown := listing.json)["state"] in ("queued", "sent"):
                listing = await _verb("command", "show", command_id, "--json", "--data-dir", str(folder))
    assert (shown["state"], shown["agent"], shown["args"]) == ("succeeded", "24", {})
    assert [attempt["verdict"] for attempt in shown["tries"]] == ["done"]
    panel = folder / "display" / "panel.png"
    scanned = await asyncio.to_thread(outpost_process, "scan", str(panel))
    assert (scanned.code, scanned.out) == (0, PAYLOAD + "\n")
    devices = await _verb("device", "list", "--data-dir", str(folder))
    assert "Front desk" in devices.out
    health = await _verb("doctor", "--json", "--data-dir", str(folder))
    assert {finding["check"]: finding["state"] for finding in health.json}["hub"] == "ok"
    begun = await _verb(*shlex.split(_printed(said, "firmware rollout start")))
    assert begun.code == 0, begun.err
    await _watch_machines(folder)
    await _be_head_office(folder)
    await _rolled_out(folder)
    log = (folder / "hub.log").read_text("utf-8")
    for private in ("John Doe", "LIFE/2024/001", PAYLOAD):
        assert private not in log


def _printed(said: str, verb: str) -> str:
    """What to type behind `outpost`, as it was printed."""
    (line,) = [line for line in said.splitlines() if verb in line]
    return line[line.index(verb) :]


async def _rolled_out(folder: Path) -> None:
    """The sensor runs the newer firmware."""
    async with asyncio.timeout(SHOWN_S):
        while True:
            (rollout,) = (await _verb("firmware", "rollout", "list", "--json", "--data-dir", str(folder))).json
            if rollout["state"] not in ("scheduled", "running"):
                break
    assert (rollout["state"], rollout["steps"]) == ("done", {"confirmed": 1})


async def _watch_machines(folder: Path) -> None:
    """The logger's machines run or stand still, here and at head office."""
    for at in (folder, folder / "centre"):
        async with asyncio.timeout(SHOWN_S):
            while True:
                listed = await _verb("asset", "list", "--json", "--data-dir", str(at))
                states = {asset["name"]: asset["state"] for asset in listed.json}
                if set(states) == {*WATCHED} and set(states.values()) <= {"running", "stopped"}:
                    break
    (row, *_) = (await _verb("asset", "availability", "--json", "--data-dir", str(folder))).json
    assert row["run_s"] + row["stop_s"] > 0
    assert len((await _verb("shift", "list", "--json", "--data-dir", str(folder))).json) == 3


async def _be_head_office(folder: Path) -> None:
    """The centre sees the devices; a vend given there turns the motor once, and its list shows how that ended."""
    office, motors = ("--json", "--data-dir", str(folder / "centre")), folder / "vending" / "motor.log"
    async with asyncio.timeout(SHOWN_S):
        while len((await _verb("device", "list", *office)).json) < 4:
            pass
    turned = motors.read_text().splitlines() if motors.exists() else []
    vended = await _verb("vend", MACHINE, "3", *office)
    assert (vended.code, vended.json["state"]) == (0, "succeeded"), vended.out + vended.err
    assert len(motors.read_text().splitlines()) == len(turned) + 1
    listed = (await _verb("command", "list", *office)).json
    (shown,) = [each for each in listed if each["id"] == vended.json["id"]]
    assert (shown["kind"], shown["state"], shown["where"]) == ("vend", "succeeded", "site")
    assert [each["agent"] for each in listed if each["kind"] == "display_qr"] == ["24"]
    named = await _verb("device", "list", *office[1:])
    assert named.out.splitlines()[0].endswith("SITE")


async def _verb(*words: str) -> Done:
    return await asyncio.to_thread(outpost, *words)


async def _curled(session: aiohttp.ClientSession, curl: str) -> dict[str, object]:
    """Do what the printed curl does, without curl."""
    words = shlex.split(curl.replace("$(cat ", "@").replace(")", ""))
    headers = {}
    for name, value in (words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H"):
        headers[name] = Path(value[1:]).read_text().strip() if value.startswith("@") else value
    body = Path(words[words.index("-d") + 1][1:]).read_bytes()
    async with session.post(words[-1], data=body, headers=headers) as response:
        answer: dict[str, object] = msgspec.json.decode(await response.read())
        assert response.status == 200, answer
        return answer
