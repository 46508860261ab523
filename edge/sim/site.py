"""The demo site: a hub with a virtual display at a desk, an agent seated there, and a payment to show; and on its
network a sensor, a vending machine, a logger and an e-paper board; and the central service it syncs with.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import segno

from edge.access.keys import ADMIN_KEY_FILE
from edge.client import Client, connect
from edge.errors import OutpostError, Unreachable
from edge.serving.server import parse_listen
from edge.settle import write_secret
from edge.sim import maker
from edge.sim.board import Board
from edge.sim.field_site import field_boards, furnish
from edge.sim.service import START_S, service
from edge.sim.uart import UartLine
from edge.wire.centre import CreateSite
from edge.wire.people import CreatePerson, SetPassword
from edge.wire.site import EnrolSite
from edge.wire.views import BindAgent, ChangeDevice

CHIP = "A0B7650C2D31"
DESK = "Front desk"
SITE = "Cafe by the river"
ITS_URL = "OUTPOST_CENTRE_CENTRE__URL"  # so that the codes it makes come with it
PERSON, PERSON_NAME = "meera@outpost.example", "Meera Nair"  # administrator of head office
AGENT, AGENT_NAME = "24", "Asha Devi"
PAYLOAD = "upi://pay?pa=outpost.demo@example&pn=Outpost%20Cafe&am=125.00&cu=INR&tr=ORD-000123"


class DemoSite:
    """Where everything of a running demo is."""

    def __init__(self, folder: Path, url: str, office: Path, centre: str) -> None:
        self.folder, self.url = folder, url
        self.office, self.centre = office, centre
        self.panel = folder / "display" / "panel.png"
        self.picture = folder / "payment.png"
        self.body = folder / "payment.json"
        self.key = folder / ADMIN_KEY_FILE
        self.paper = folder / "eink" / "panel.png"
        self.motors = folder / "vending" / "motor.log"
        self.newer = ""  # firmware that the sensor can be updated to, by its id

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

    @property
    def password(self) -> Path:
        """Where the password of head office's administrator is (PERSON)."""
        return self.office / "administrator.password"

    def curl(self) -> str:
        """The request that puts the payment on the screen."""
        return (
            f'curl -s -H "X-API-Key: $(cat {self.key})" -H "Content-Type: application/json"'
            f" -d @{self.body} {self.url}/api/device/qr"
        )


@contextlib.asynccontextmanager
async def demo_site(folder: Path, listen: str, centre_listen: str) -> AsyncIterator[DemoSite]:
    """A running demo: head office and a hub as processes of their own, the hub enrolled there; a virtual display
    on its serial port, the agent seated, boards on the network.

    Raises Unreachable with the last words of what does not start, or not in time.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    office = folder / "centre"
    text = {"OUTPOST_LOG__FORMAT": "text", "OUTPOST_CENTRE_LOG__FORMAT": "text"}
    told = text if centre_listen.endswith(":0") else {**text, ITS_URL: parse_listen(centre_listen).url}
    async with _display(folder) as tty, contextlib.AsyncExitStack() as running:
        port = ("--serial", f"{tty}=native", "--no-scan")
        centre = await running.enter_async_context(service("cloud", office, "--listen", centre_listen, **told))
        making = await running.enter_async_context(maker.at_work(folder))
        url = await running.enter_async_context(service("hub", folder, "--listen", listen, *port, **text))
        site = DemoSite(folder, url, office, centre)
        site.write_payment()
        await making
        async with field_boards(folder, url) as boards:
            async with connect(folder) as client:
                try:
                    site.newer, *_ = await asyncio.gather(
                        maker.publish(client, folder),
                        _furnish(client),
                        furnish(client, boards),
                        _enrol(client, site),
                        _staff(site),
                    )
                except TimeoutError:
                    hint = f"This machine may be too busy: try again. The hub's log is {folder / 'hub.log'}."
                    raise Unreachable("The virtual devices did not come to the hub in time.", hint=hint) from None
            yield site


@contextlib.asynccontextmanager
async def _display(folder: Path) -> AsyncIterator[Path]:
    """A virtual display; gives the tty that the hub shall own."""
    async with UartLine() as line:
        tty = folder / "display.tty"
        tty.unlink(missing_ok=True)
        tty.symlink_to(line.host_tty)
        board = Board(str(line.device_tty), folder / "display", chip=CHIP)
        running = asyncio.create_task(board.run(), name="virtual display")
        try:
            yield tty
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            tty.unlink(missing_ok=True)


async def _enrol(hub: Client, site: DemoSite) -> None:
    """What head office and the technician do once: a site, its code read out, the code typed."""
    if (await hub.get("/v1/sync"))["state"] != "off":
        return
    async with connect(site.office) as centre:
        known = [each["id"] for each in await centre.items("/v1/sites") if each["name"] == SITE]
        if known:  # the hub's data was thrown away, and the centre's was not
            made = await centre.send("POST", f"/v1/sites/{known[0]}/code")
        else:
            made = await centre.send("POST", "/v1/sites", CreateSite(name=SITE))
    await hub.send("POST", "/v1/sync/enrol", EnrolSite(code=made["code"], url=site.centre))


async def _staff(site: DemoSite) -> None:
    """Somebody who may open head office's pages, with a password made for this demo."""
    if site.password.exists():
        return
    password = f"{secrets.token_urlsafe(9)}-aA1"
    async with connect(site.office) as centre:
        if any(person["email"] == PERSON for person in await centre.items("/v1/people")):
            await centre.send("PUT", f"/v1/people/{PERSON}/password", SetPassword(password=password))
        else:
            wanted = CreatePerson(email=PERSON, full_name=PERSON_NAME, role="admin", password=password)
            await centre.send("POST", "/v1/people", wanted)
    write_secret(site.password, password)


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
