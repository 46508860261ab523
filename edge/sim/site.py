"""The demo site: a hub with a virtual display at a desk, an agent seated there, and a payment to show; and on its
network a sensor and a vending machine.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import segno

from edge.access.keys import ADMIN_KEY_FILE
from edge.client import Client, connect
from edge.errors import OutpostError, Unreachable
from edge.sim.board import Board
from edge.sim.field_site import field_boards, furnish
from edge.sim.uart import UartLine
from edge.wire.views import BindAgent, ChangeDevice

CHIP = "A0B7650C2D31"
DESK = "Front desk"
AGENT, AGENT_NAME = "24", "Asha Devi"
PAYLOAD = "upi://pay?pa=outpost.demo@example&pn=Outpost%20Cafe&am=125.00&cu=INR&tr=ORD-000123"
START_S = 30.0


class DemoSite:
    """Where everything of a running demo is."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.panel = folder / "display" / "panel.png"
        self.picture = folder / "payment.png"
        self.body = folder / "payment.json"
        self.key = folder / ADMIN_KEY_FILE
        self.motors = folder / "vending" / "motor.log"

    def write_payment(self) -> None:
        """A QR picture as a web page would send it, and the request's body with it."""
        out = io.BytesIO()
        segno.make(PAYLOAD, error="m").save(out, kind="png", scale=6, border=4)
        self.picture.write_bytes(out.getvalue())
        image = "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
        request = {
            "agent_id": int(AGENT),
            "qr_image": image,
            "customer_name": "John Doe",
            "policy_number": "LIFE/2024/001",
            "amount": 125,
        }
        self.body.write_bytes(msgspec.json.encode(request))

    def curl(self) -> str:
        """The request that puts the payment on the screen."""
        return (
            f'curl -s -H "X-API-Key: $(cat {self.key})" -H "Content-Type: application/json"'
            f" -d @{self.body} {self.url}/api/device/qr"
        )


@contextlib.asynccontextmanager
async def demo_site(folder: Path, listen: str) -> AsyncIterator[DemoSite]:
    """A running demo: the hub as a process of its own, a virtual display on its serial port, the agent seated, two
    boards on the network.

    Raises Unreachable with the hub's last words when it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with UartLine() as line:
        tty = folder / "display.tty"
        tty.unlink(missing_ok=True)
        tty.symlink_to(line.host_tty)
        board = Board(str(line.device_tty), folder / "display", chip=CHIP)
        running = asyncio.create_task(board.run(), name="virtual display")
        hub, url = await _start_hub(folder, listen, tty)
        try:
            site = DemoSite(folder, url)
            site.write_payment()
            async with field_boards(folder, url) as boards:
                async with connect(folder) as client:
                    await asyncio.gather(_furnish(client), furnish(client, boards))
                yield site
        finally:
            await _stop(hub)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            tty.unlink(missing_ok=True)


async def _start_hub(folder: Path, listen: str, tty: Path) -> tuple[Process, str]:
    log_file = (folder / "hub.log").open("ab")
    with log_file:
        hub = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "edge.cli", "hub", "--data-dir", str(folder), "--listen", listen),
            *("--serial", f"{tty}=native", "--no-scan"),
            stdout=PIPE,
            stderr=log_file,
            env={**os.environ, "OUTPOST_LOG__FORMAT": "text"},
        )
    assert hub.stdout is not None
    line = (await asyncio.wait_for(hub.stdout.readline(), START_S)).decode().strip()
    if not line.startswith("ready hub "):
        await hub.wait()
        last = (folder / "hub.log").read_text("utf-8", "replace").strip().splitlines()[-2:]
        raise Unreachable(
            "The hub did not start. " + " ".join(last), hint="Is the port free? Try another --listen."
        )
    return hub, line.removeprefix("ready hub ")


async def _furnish(client: Client) -> None:
    """Do what a technician does once: approve the display, name it, seat the agent."""
    async with asyncio.timeout(START_S):
        while True:
            try:
                device = await client.get(f"/v1/devices/{CHIP}")
                if device["online"]:
                    break
            except OutpostError:
                device = None
            await asyncio.sleep(0.1)
    await client.send("POST", f"/v1/devices/{CHIP}/approve")
    await client.send("PATCH", f"/v1/devices/{CHIP}", ChangeDevice(name=DESK))
    await client.send("PUT", f"/v1/devices/{CHIP}/agent", BindAgent(agent=AGENT, name=AGENT_NAME))


async def _stop(hub: Process) -> None:
    if hub.returncode is None:
        hub.terminate()
        try:
            await asyncio.wait_for(hub.wait(), 10.0)
        except TimeoutError:
            hub.kill()
            await hub.wait()
