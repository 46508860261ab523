"""Setting a board up over the cable it hangs on: Improv, and the text dialogue of boards with our firmware.

The port is lent by its owner for as long as that takes, and is his again afterwards, whatever happened.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

import msgspec

from edge.devices.model import Device
from edge.errors import LinkError, Rejected
from edge.links.detect import first_baud
from edge.links.serial_port import SerialPort
from edge.links.stream import ByteStream
from edge.links.supervisor import Supervisor
from edge.provision.arrivals import Arrivals
from edge.provision.dialogue import Dialogue
from edge.provision.improv_line import ImprovLine
from edge.provision.improv_words import in_words, is_ours, network_views
from edge.provision.introducing import Introducing
from edge.provision.jobs import Job
from edge.provision.wifi import Wifi
from edge.wire.improv import BoardState

LENT_TO = "a board is being given its WiFi"
ARRIVAL_S = 120.0  # it starts anew, joins, looks for the hub and says hello: 20 s, unless the WiFi is slow


class Wanted(msgspec.Struct, frozen=True):
    """What a board shall be told; `wifi` None: it is only asked."""

    path: str
    wifi: Wifi | None
    hub_url: str
    name: str
    actor: str


class Cable:
    """The two ways over a cable. `lose` gives a device's link over the network up."""

    def __init__(
        self, ports: Supervisor, introducing: Introducing, arrivals: Arrivals, lose: Callable[[str], None]
    ) -> None:
        self._ports, self._introducing, self._arrivals, self._lose = ports, introducing, arrivals, lose

    async def improv(self, job: Job, wanted: Wanted) -> None:
        """Improv, for any board; then the dialogue, for one of ours. Raises OutpostError."""
        device: Device | None = None
        async with self._line(job, wanted.path) as stream:
            line = ImprovLine(stream, job.say)
            job.say("Waiting for the board to answer; one that has just started takes up to 12 s.")
            state = await line.state()
            board = await line.info()
            job.is_board(board)
            has = " It has a WiFi already." if state is BoardState.PROVISIONED else ""
            job.say(f"The board answers: {in_words(board)}.{has}")
            if wanted.wifi is None:
                job.hears(network_views(await line.networks()))
                job.say(f"It hears {len(job.view.networks)} WiFi networks.")
                return
            urls = await line.join(wanted.wifi)
            job.serves(urls)
            job.say(f"The board has joined {wanted.wifi.ssid}.")
            device = await self._introduce(job, stream, wanted)
        if device is not None:
            await self._await(job, device)

    async def dialogue(self, job: Job, wanted: Wanted) -> None:
        """The dialogue alone, for boards with our firmware. Raises OutpostError."""
        async with self._line(job, wanted.path) as stream:
            job.say("Looking for the board's console.")
            dialogue = Dialogue(stream)
            await dialogue.settle()
            device = await self._tell(job, dialogue, wanted, wanted.wifi)
        if device is not None:
            await self._await(job, device)

    @contextlib.asynccontextmanager
    async def _line(self, job: Job, path: str) -> AsyncIterator[ByteStream]:
        async with self._ports.lent(path, LENT_TO) as spec:
            baud = first_baud(spec)
            job.say(f"The hub has left {path} to this, and opens it at {baud} baud.")
            port = await SerialPort.open(path, baud=baud, lines=self._ports.lines)  # no tap: nobody reads along
            try:
                yield port
            finally:
                await port.close()
        job.say(f"{path} is the hub's again.")

    async def _introduce(self, job: Job, stream: ByteStream, wanted: Wanted) -> Device | None:
        """Tell a board of ours its hub, over the same line; None for any other board. Raises OutpostError."""
        if not is_ours(job.view.board):
            job.say("It runs other firmware than ours: which server it speaks to is set on its own page.")
            return None
        dialogue = Dialogue(stream)
        await dialogue.settle()  # it starts anew once it is in the WiFi
        return await self._tell(job, dialogue, wanted, None)

    async def _tell(self, job: Job, dialogue: Dialogue, wanted: Wanted, wifi: Wifi | None) -> Device | None:
        """Its id, token, hub and, where given, WiFi; None when it is only asked."""
        status = await dialogue.status()
        job.say(f"It is a {status.get('kind') or 'board'} with firmware {status.get('fw') or 'unknown'}.")
        if wanted.wifi is None:
            return None
        if status.get("kind") == "display":
            raise Rejected(
                "A display has no use for a WiFi: it works over its cable.", hint="Approve it, and be done."
            )
        device = await self._introducing.device(status, name=wanted.name, actor=wanted.actor)
        job.is_device(device.id)
        answers = await self._introducing.answers(device, status, wifi, wanted.hub_url, actor=wanted.actor)
        await dialogue.provision(answers)
        self._lose(device.id)  # it starts anew: what it said over the network before is no evidence
        key = "with a key of its own" if answers.token else "with the key it has"
        job.say(f"The board is {device.name} now ({device.id}), {key}. It starts anew.")
        return device

    async def _await(self, job: Job, device: Device) -> None:
        job.say(f"Waiting for {device.name} to show up at the hub over the network.")
        if not await self._arrivals.of(device.id, ARRIVAL_S):
            raise LinkError(
                f"{device.name} has not shown up over the network within {ARRIVAL_S:g} s",
                hint="Check the WiFi's name and password, and that the WiFi and the hub are on one network.",
            )
        job.say(f"{device.name} is there over the network. It is set up.")
