"""Setting a board up without a cable: over BLE, and by the page that it serves on a WiFi of its own.

Neither can give it a token, since nobody knows who listens. A board with our firmware pairs with the hub it finds
and shows a code; approving it with that code makes its key sure.
"""

from __future__ import annotations

from edge.devices.model import Device, Trust
from edge.devices.registry import Registry
from edge.errors import LinkError
from edge.links.ble.radio import Radio
from edge.provision.arrivals import Arrivals
from edge.provision.improv_ble import ImprovBle
from edge.provision.improv_words import in_words, is_ours, network_views
from edge.provision.jobs import Job
from edge.provision.wifi import Wifi
from edge.wire.provision import BoardInfo

LENT_TO = "a board is being given its WiFi"
ARRIVAL_S = 120.0  # it starts anew, joins, looks for the hub and pairs: 20 s, unless the WiFi is slow
PORTAL_S = 900.0  # as long as a board keeps its page open

PORTAL = (
    "Give the board power. One that never had a WiFi opens one of its own 10 s later, for a quarter of an hour; of"
    " any other, hold the BOOT button for a second. Its name begins with ESP32-OTA-Setup.",
    "Join that WiFi with a phone or a laptop. A page opens by itself; if not, open http://4.3.2.1 there.",
    "Choose the site's WiFi there and type its password. The board tries it, and says so.",
)


class Air:
    """The two ways without a cable."""

    def __init__(self, radio: Radio, registry: Registry, arrivals: Arrivals) -> None:
        self._radio, self._registry, self._arrivals = radio, registry, arrivals

    async def ble(self, job: Job, address: str, wifi: Wifi | None, *, identify: bool) -> None:
        """Improv over BLE. Raises OutpostError."""
        before = self._arrivals.now()
        job.say(f"Looking for {address} and connecting to it.")
        async with self._radio.connected(address, LENT_TO) as gatt:
            conversation = ImprovBle(gatt, job.say)
            await conversation.begin()
            if identify:
                await conversation.identify()
                job.say("The board shows which one it is, if it has a light or a buzzer.")
            board = await conversation.info()
            job.is_board(board)
            job.say(f"Connected: {in_words(board)}.")
            await conversation.authorized()
            if wifi is None:
                job.hears(network_views(await conversation.networks()))
                job.say(f"It hears {len(job.view.networks)} WiFi networks.")
                return
            job.serves(await conversation.join(wifi))
            job.say(f"The board has joined {wifi.ssid}.")
        if is_ours(board):
            await self._await(job, before, board)

    async def portal(self, job: Job) -> None:
        """Tell what to do, and wait until somebody new shows up. Raises LinkError when nobody does."""
        before = self._arrivals.now()
        for sentence in PORTAL:
            job.say(sentence)
        device_id = await self._arrivals.newcomer(before, PORTAL_S)
        if device_id is None:
            raise LinkError(
                f"no new board has shown up within {PORTAL_S / 60:g} minutes",
                hint="Check the WiFi's password on the board's page: it opens again when the board could not join.",
            )
        self._welcome(job, device_id)

    async def _await(self, job: Job, before: frozenset[str], board: BoardInfo) -> None:
        job.say("Waiting for it to find the hub.")
        device_id = await self._arrivals.newcomer(before, ARRIVAL_S)
        if device_id is None:
            raise LinkError(
                f"{board.name or 'the board'} has joined the WiFi, but not found the hub within {ARRIVAL_S:g} s",
                hint="Are the WiFi and the hub on one network? Else tell it the hub's address over a cable.",
            )
        self._welcome(job, device_id)

    def _welcome(self, job: Job, device_id: str) -> None:
        device = self._registry.known(device_id)
        job.is_device(device_id)
        job.say(f"{device.name} ({device_id}) is there. {_next(device)}")


def _next(device: Device) -> str:
    """What is left to do."""
    if device.approved and device.trusted:
        return "It is set up."
    if device.trust is Trust.PAIRED:
        return f"Approve it with the code it shows: `outpost device approve {device.id} --code CODE`."
    return f"It waits for approval: `outpost device approve {device.id}`."
