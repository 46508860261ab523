"""An old vending machine on the hub's second network, with no way out: it looks once, and finds the hub."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.running_hub import until
from tests.tools import needs_root, needs_tool

UNSHARE, IP = needs_tool("unshare"), needs_tool("ip")
NSENTER = str(Path(UNSHARE).with_name("nsenter"))  # of the same package
needs_root("make networks of their own for a hub and a machine")

HUB, MACHINE, NO_GATEWAY = "10.88.0.5", "10.88.0.50", "10.88.0.1"
MAC = "6CC8404FE03C"
START_S = 60.0
POWERED = f"""
import asyncio
from edge.sim.vending_wifi import WifiMachine

async def main():
    machine = WifiMachine(mac={MAC!r}, pace=0.05, source={MACHINE!r})
    print(await machine.discover({NO_GATEWAY!r}, {MACHINE!r}), flush=True)
    await machine.run()

asyncio.run(main())
"""


class Networks:
    """Two network namespaces joined by a cable; the hub's has another network too, and neither has a way out."""

    def __init__(self, hub: Process, machine: Process) -> None:
        self._hub, self._machine = hub, machine

    def at_hub(self, *command: str) -> list[str]:
        """The command, run where the hub is."""
        return [NSENTER, f"--net=/proc/{self._hub.pid}/ns/net", *command]

    def at_machine(self, *command: str) -> list[str]:
        """The command, run where the machine is."""
        return [NSENTER, f"--net=/proc/{self._machine.pid}/ns/net", *command]

    async def set_up(self) -> None:
        """Give both their interfaces and addresses."""
        for line in (
            "link set lo up",
            "link add lan0 type veth peer name lan1",
            "addr add 10.77.0.1/24 dev lan0",
            "link set lan0 up",
            "link set lan1 up",
            f"link add ap0 type veth peer name wl0 netns {self._machine.pid}",
            f"addr add {HUB}/24 dev ap0",
            "link set ap0 up",
        ):
            await run(*self.at_hub(IP, *line.split()))
        for line in (
            "link set lo up",
            f"addr add {MACHINE}/24 dev wl0",
            "link set wl0 up",
            f"route add default via {NO_GATEWAY}",
        ):
            await run(*self.at_machine(IP, *line.split()))


async def run(*command: str) -> None:
    """Run it to its end."""
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    said, _ = await process.communicate()
    assert process.returncode == 0, (command, said)


@contextlib.asynccontextmanager
async def running(*command: str, stdout: int = PIPE) -> AsyncIterator[Process]:
    """The command while the block runs."""
    process = await asyncio.create_subprocess_exec(*command, stdout=stdout, stderr=DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


async def said(process: Process) -> str:
    """The next line of it."""
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), START_S)).decode().strip()


@pytest.fixture
async def networks() -> AsyncIterator[Networks]:
    asleep = (UNSHARE, "--net", "sh", "-c", "echo; exec sleep 300")
    async with running(*asleep) as hub, running(*asleep) as machine:
        await asyncio.gather(said(hub), said(machine))  # each has its own network by now
        networks = Networks(hub, machine)
        await networks.set_up()
        yield networks


async def test_it_is_found_over_the_network_it_was_asked_on_and_vends(networks: Networks, tmp_path: Path) -> None:
    python = (sys.executable, "-m", "edge.cli", "hub", "--data-dir", str(tmp_path))
    hub_command = networks.at_hub(*python, "--no-scan", "--listen", "0.0.0.0:5000")
    async with running(*hub_command) as hub:
        assert (await said(hub)).startswith("ready hub ")
        connector = aiohttp.UnixConnector(str(tmp_path / "hub.sock"))
        machine_command = networks.at_machine(sys.executable, "-c", POWERED)
        async with (
            aiohttp.ClientSession("http://hub", connector=connector) as http,
            running(*machine_command) as on,
        ):
            assert await said(on) == f"http://{HUB}:5000"  # not the address of its other network
            await vends(http)


async def vends(http: aiohttp.ClientSession) -> None:
    """Approve the machine, and have one dispensed."""

    async def approved() -> bool:
        async with http.post(f"/v1/devices/{MAC}/approve", json={}) as response:
            return response.status == 200

    async def dispensed() -> bool:
        return [vend["state"] for vend in await items(http, "/v1/transactions")] == ["succeeded"]

    await until(approved)
    async with http.post("/vend/3") as response:
        assert response.status == 200, await response.text()
    await until(dispensed)


async def items(http: aiohttp.ClientSession, path: str) -> list[dict[str, Any]]:
    """A list of the hub's."""
    async with http.get(path) as response:
        return list((await response.json())["items"])
