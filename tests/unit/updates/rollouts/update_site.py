"""Updates with real parts, a real database and a clock moved by hand; opened again it is a restart of the hub."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from edge.bus import Bus
from edge.clock import ManualClock
from edge.devices.groups.groups import Groups
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import NotFound
from edge.store.database import Store
from edge.updates.offers.model import Firmware, Rollout, Target
from edge.updates.offers.offers import Offers
from edge.updates.rollouts.orders import FirmwareOrders
from edge.updates.rollouts.rollouts import Rollouts
from edge.updates.rollouts.views import RolloutViews
from edge.wire.firmware import Kind
from edge.wire.native import Running
from edge.wire.updates import NewRollout, Plan, Step, Told
from edge.wire.updates import Target as Whom

ZONE = ZoneInfo("Europe/Paris")
QUICK = Plan(waves=(100,), soak_s=0, deadline_s=600)
SIZE = 1000


def firmware(name: str, target: str = "sensor", **more: object) -> Firmware:
    """Some firmware, named by a hash as all is."""
    artifact = hashlib.sha256(name.encode()).hexdigest()
    plain = Firmware(
        artifact=artifact,
        kind=Kind.APP,
        target=target,
        chip="esp32",
        version="20261121.180000",
        security=1,
        size=SIZE,
    )
    return msgspec.structs.replace(plain, **more)


class Shelf:
    """Artifacts as they are known to rollouts."""

    def __init__(self) -> None:
        self.held: dict[str, Firmware] = {}
        self.untrusted: set[str] = set()

    def put(self, one: Firmware) -> Firmware:
        """It is here now."""
        self.held[one.artifact] = one
        return one

    async def firmware(self, artifact: str) -> Firmware:
        """What it is. Raises NotFound."""
        if artifact not in self.held:
            raise NotFound("There is no such firmware.")
        return self.held[artifact]

    def trusts(self, artifact: str) -> bool:
        """Whether a trusted key has signed it."""
        return artifact in self.held and artifact not in self.untrusted

    def variant_of(self, artifact: str) -> str:
        """What kind of app it is."""
        found = self.held.get(artifact)
        return found.target if found is not None else ""


class UpdateSite:
    """A hub's devices, offers and rollouts."""

    def __init__(self, directory: Path, clock: ManualClock, shelf: Shelf) -> None:
        self.directory, self.clock, self.shelf = directory, clock, shelf
        self._build()

    def _build(self) -> None:
        clock, shelf, self.bus = self.clock, self.shelf, Bus()
        self.store = Store(self.directory, self.bus, clock, free_floor_mb=1, ballast_mb=0)
        hub = self.store.hub
        self.registry = Registry(hub, self.bus, clock, auto_approve=False, reports_kept=10)
        self.presences = Presences(hub, self.bus, clock)
        self.offers = Offers(hub, self.bus, clock, ZONE, self.registry, self.presences)
        self.offers.know_variants_by(shelf.variant_of)
        self.offers.ask_trust(shelf.trusts)
        self.groups = Groups(hub, self.registry)
        self.rollouts = Rollouts(hub, clock, ZONE, self.registry, self.presences, self.offers, self.groups, shelf)
        self.orders = FirmwareOrders(hub, clock, self.registry, self.offers, self.rollouts.engine, shelf)
        self.views = RolloutViews(self.rollouts, self.offers, self.registry, clock, self.store.boots)

    async def start(self) -> None:
        """Open the store and load everything."""
        await self.store.open()
        await self.registry.start()
        await self.offers.start()
        await self.rollouts.tick()

    async def stop(self) -> None:
        """Close it, as a hub that is stopped does."""
        await self.offers.save()
        await self.store.close()

    async def restart(self, *, killed: bool = False, off_s: float = 0.0) -> None:
        """All of it torn down and built anew from the database. `killed`: it had no time to keep anything; `off_s`:
        it was off for so long."""
        if not killed:
            await self.offers.save()
        await self.store.close()
        self.clock.advance(off_s)
        await self.reopen()

    async def reopen(self) -> None:
        """After it was closed: all of it built anew from the database."""
        self._build()
        await self.start()

    # --- people

    async def device(self, name: str, kind: str = "sensor") -> Device:
        """An approved one with our firmware."""
        device, _ = await self.registry.add(name, kind, "native", actor="tess")
        return device

    async def fleet(self, count: int) -> list[Device]:
        """So many sensors, in a group called `all`."""
        devices = [await self.device(f"s{number:04}") for number in range(count)]
        await self.groups.set("all", [device.id for device in devices], actor="tess")
        return devices

    async def begin(self, artifact: Firmware, *devices: Device, plan: Plan = QUICK, starts_at: str = "") -> Rollout:
        """Roll it out to these devices, or to the group `all`."""
        whom = Whom(devices=[device.id for device in devices]) if devices else Whom(group="all")
        wanted = NewRollout(artifact=artifact.artifact, target=whom, plan=plan, starts_at=starts_at)
        return await self.rollouts.create(wanted, actor="tess")

    async def now(self, rollout: Rollout) -> Rollout:
        """The rollout as the database has it."""
        return await self.rollouts.get(rollout.id)

    async def steps(self, rollout: Rollout) -> dict[str, Step]:
        """How far each device is, by the database."""
        return {one.device: one.step for one in await self.targets(rollout)}

    async def targets(self, rollout: Rollout) -> list[Target]:
        """Its devices, by the database."""
        found = await self.rollouts.devices(rollout, step="", wave=None, after=0, limit=10_000)
        return [target for _, target in found]

    async def after(self, seconds: float) -> None:
        """Let time pass while the hub runs."""
        self.clock.advance(seconds)
        await self.rollouts.tick()

    async def facts(self, kind: str) -> list[str]:
        """The subjects of facts of this kind, in order."""
        rows = await self.store.hub.read("SELECT subject FROM ledger WHERE kind = ? ORDER BY seq", (kind,))
        return [row[0] for row in rows]

    # --- devices

    async def says(self, device: Device, step: Step, reason: str = "", done: int = 0, attempt: int = 0) -> bool:
        """The device tells a step of what it is offered now, or was last; whether the hub says: keep it."""
        newest = await self.rollouts.newest_of(device.id)
        assert newest is not None
        told = Told(
            artifact=newest.artifact,
            step=step,
            attempt=attempt or newest.attempt,
            done=done,
            size=SIZE,
            reason=reason,
        )
        return (await self.offers.tell(device.id, told)).confirm

    async def takes(self, device: Device, firmware: Firmware) -> None:
        """It fetches what it is offered, switches, comes back well, and keeps it."""
        for step in (Step.DOWNLOADING, Step.VERIFIED, Step.STAGED):
            await self.says(device, step)
        running = Running(app=firmware.artifact, version=firmware.version, security=1, trial=True)
        await self.offers.runs(device.id, running)
        self.presences.seen(device.id, "hello")
        self.offers.reported(device.id)
        assert await self.says(device, Step.TESTING)
        await self.says(device, Step.CONFIRMED)
        await self.offers.runs(device.id, msgspec.structs.replace(running, trial=False))

    def offered(self, device: Device) -> bool:
        """Whether it sees an offer now."""
        return self.offers.for_device(device.id) is not None


@asynccontextmanager
async def update_site(directory: Path, clock: ManualClock | None = None) -> AsyncIterator[UpdateSite]:
    """A site that is open for a while."""
    site = UpdateSite(directory, clock or ManualClock(), Shelf())
    await site.start()
    try:
        yield site
    finally:
        await site.stop()
