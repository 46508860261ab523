"""Keeps a Site true: opens the live socket, reads everything, follows, and starts again when the line breaks."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable

import aiohttp
import msgspec

from edge.errors import NotFound, OutpostError, Unreachable
from edge.wire.assets import AssetView
from edge.wire.content import PanelView
from edge.wire.flashing import BoardImageView, FlashView
from edge.wire.provision import ProvisionView
from edge.wire.readings import TwinView
from edge.wire.site import DeadLetterView, SyncView
from edge.wire.updates import ArtifactView, RolloutDevice, RolloutView
from edge.wire.vending import SlotView, TransactionView
from edge.wire.views import ClaimView, CommandView, DeviceView, KnockView, LiveEvent, LogLine, PortView, StatusView
from tui.client import HubClient
from tui.firmware import MOST_ROLLOUTS
from tui.site import Contact, Site

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0  # a technician who plugs the hub back in looks at the screen: never longer than this
SETTLE_S = 0.5  # between two full reads, so that a burst of events asks once
REFRESH_S = 5.0  # a sign of life has no event of its own: devices are read again this often, so that ages are true
TRANSACTIONS = 50  # the newest that are read; later ones come live
ALL_EVERY = 4  # refreshes; then also what else has no event: knocks, disk space


class _Arrived(msgspec.Struct):
    """The data of a `reading` event."""

    device: str
    at: str
    values: dict[str, object]


class Feed:
    """`changed` is called after every change; it must be cheap. `wake()` tries again now."""

    def __init__(
        self, client: HubClient, site: Site, changed: Callable[[], None], rng: random.Random | None = None
    ) -> None:
        self._client = client
        self._site = site
        self._changed = changed
        self._random = rng or random.Random()  # noqa: S311 jitter, not secrecy
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """Do not wait any longer: reconnect, or read everything again."""
        self._awake.set()

    async def run(self) -> None:
        """Follow the hub for ever; cancel to stop."""
        failures = 0
        while True:
            try:
                await self._follow()
            except OutpostError as error:
                failures = 0 if self._site.contact is Contact.LIVE else failures + 1
                wait_s = self._wait_s(failures)
                self._site.went_away(error.detail, error.advice, wait_s)
                self._changed()
                await self._sleep(wait_s)

    async def _follow(self) -> None:
        """One connection's life; ends by an OutpostError."""
        socket = await self._client.socket("/v1/live")
        try:
            await self._read_all()
            self._site.came()
            self._changed()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(socket))
                tasks.create_task(self._refresh())
        except ExceptionGroup as group:
            foreseen, other = group.split(OutpostError)
            if foreseen is None or other is not None:
                raise
            raise _first(foreseen) from None
        finally:
            await socket.close()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise Unreachable("the hub closed the connection")
            self._site.heard()
            if not self._take(message.data):
                self.wake()
            self._changed()

    async def _refresh(self) -> None:
        for count in itertools.count(1):
            woken = await self._sleep(REFRESH_S)
            if woken or count % ALL_EVERY == 0:
                await self._read_all()
            else:
                self._site.put_devices(await self._client.items("/v1/devices", DeviceView))
                self._site.heard()
            self._changed()
            await asyncio.sleep(SETTLE_S)

    async def _read_all(self) -> None:
        client, site = self._client, self._site
        site.status = await client.get("/v1/status", StatusView)
        site.put_devices(await client.items("/v1/devices", DeviceView))
        waiting = await client.items("/v1/commands", CommandView, state="open")
        site.put_waiting(waiting + await client.items("/v1/commands", CommandView, state="in_doubt"))
        site.ports = {port.path: port for port in await client.items("/v1/ports", PortView)}
        site.claims = {claim.agent: claim for claim in await client.items("/v1/claims", ClaimView)}
        site.knocks = await client.items("/v1/knocking", KnockView)
        site.goods.put_slots(await client.items("/v1/slots", SlotView))
        site.goods.put_transactions(await client.newest("/v1/transactions", TransactionView, TRANSACTIONS))
        await self._read_assets()
        await self._read_firmware()
        await self._read_boards()
        await self._read_panels()
        await self._read_sync()
        site.heard()

    async def _read_assets(self) -> None:
        try:
            self._site.machines.put_all(await self._client.items("/v1/assets", AssetView))
        except NotFound:
            self._site.machines.none_here()

    async def _read_firmware(self) -> None:
        client, firmware = self._client, self._site.firmware
        try:
            firmware.put_artifacts(await client.items("/v1/artifacts", ArtifactView))
            firmware.put_rollouts(await client.newest("/v1/rollouts", RolloutView, MOST_ROLLOUTS))
        except NotFound:
            firmware.none_here()

    async def _read_boards(self) -> None:
        client, boards = self._client, self._site.boards
        try:
            boards.put_flashing(await client.items("/v1/flash", FlashView))
            boards.put_images(await client.items("/v1/board-images", BoardImageView))
            if not self._site.looks_only:  # a viewer sees no boards being set up
                boards.put_setups(await client.items("/v1/provision", ProvisionView))
        except NotFound:  # an older hub
            boards.put_setups([])

    async def _read_panels(self) -> None:
        try:
            self._site.panels.put_panels(await self._client.items("/v1/content/panels", PanelView))
        except NotFound:
            self._site.panels.none_here()

    async def _read_sync(self) -> None:
        client, site = self._client, self._site
        try:
            site.sync = await client.get("/v1/sync", SyncView)
        except NotFound:
            site.sync, site.letters, site.sync_absent = None, [], True
            return
        site.sync_absent = False
        dead = site.sync.dead_letters
        site.letters = await client.items("/v1/sync/dead-letters", DeadLetterView) if dead else []

    def _take(self, text: str) -> bool:
        """Apply one event; False: everything must be read again."""
        try:
            event = msgspec.json.decode(text, type=LiveEvent)
            return self._apply(event)
        except msgspec.MsgspecError:
            self._site.unreadable += 1
            return False

    def _apply(self, event: LiveEvent) -> bool:
        site = self._site
        if event.topic == "device" and event.data.get("state") == "forgotten":
            site.drop_device(str(event.data.get("id", "")))
        elif event.topic == "device":
            site.put_device(msgspec.convert(event.data, DeviceView))
        elif event.topic == "command":
            site.put_commands([msgspec.convert(event.data, CommandView)])
        elif event.topic == "port":
            site.put_port(msgspec.convert(event.data, PortView))
        elif event.topic == "log":
            site.put_log(str(event.data.get("device", "")), msgspec.convert(event.data, LogLine))
        elif event.topic in ("asset", "reading", "twin", "slot", "transaction", "panel"):
            self._apply_measured(event)
        elif event.topic in ("firmware", "rollout", "update", "flash", "provision"):
            self._apply_to_boards(event)
        elif event.topic == "sync":
            site.sync = msgspec.convert(event.data, SyncView)
            return site.sync.dead_letters == len(site.letters)
        elif event.topic == "hub":
            site.status = msgspec.convert(event.data, StatusView)
        return event.topic not in {"claim", "missed"}

    def _apply_measured(self, event: LiveEvent) -> None:
        site, data = self._site, event.data
        if event.topic == "asset":
            site.machines.put(msgspec.convert(data, AssetView))
        elif event.topic == "reading" and not data.get("historical"):
            arrived = msgspec.convert(data, _Arrived)
            site.put_readings(arrived.device, arrived.at, arrived.values)
        elif event.topic == "twin":
            twin = msgspec.convert(data, TwinView)
            if twin.device in site.values:
                site.values[twin.device].twin = twin
        elif event.topic == "slot":
            site.goods.put_slot(msgspec.convert(data, SlotView))
        elif event.topic == "panel":
            site.panels.put_panel(msgspec.convert(data, PanelView))
        elif event.topic == "transaction":
            site.goods.put_transactions([msgspec.convert(data, TransactionView)])

    def _apply_to_boards(self, event: LiveEvent) -> None:
        firmware, boards, data = self._site.firmware, self._site.boards, event.data
        if event.topic == "rollout":
            firmware.put_rollout(msgspec.convert(data, RolloutView))
        elif event.topic == "update":
            firmware.put_device(str(data.get("rollout", "")), msgspec.convert(data, RolloutDevice))
        elif event.topic == "flash":
            boards.put_flash(msgspec.convert(data, FlashView))
        elif event.topic == "provision":
            boards.put_setup(msgspec.convert(data, ProvisionView))
        elif data.get("gone"):
            firmware.drop_artifact(str(data.get("id", "")))
        elif "id" in data:
            firmware.put_artifact(msgspec.convert(data, ArtifactView))

    def _wait_s(self, failures: int) -> float:
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures, 10))
        return longest * self._random.uniform(0.5, 1.0)

    async def _sleep(self, wait_s: float) -> bool:
        """Wait, unless woken; whether it was."""
        try:
            async with asyncio.timeout(wait_s):
                await self._awake.wait()
        except TimeoutError:
            return False
        self._awake.clear()
        return True


def _first(group: BaseExceptionGroup[OutpostError]) -> OutpostError:
    """The first single error in a group."""
    for error in group.exceptions:
        return _first(error) if isinstance(error, BaseExceptionGroup) else error
    return Unreachable("the connection ended")
