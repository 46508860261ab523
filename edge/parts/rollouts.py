"""Firmware for devices: what each is offered, and rollouts over many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine

import msgspec

from edge.bus import Event
from edge.devices.model import Device
from edge.parts.part import Core, Part
from edge.parts.updates import UpdatesPart
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.store.transaction import Transaction
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.events import RolloutChanged, UpdateChanged
from edge.updates.handing import Handing
from edge.updates.offers.model import Firmware
from edge.updates.offers.offers import Offers
from edge.updates.rollouts import store as sql
from edge.updates.rollouts.device_routes import DeviceFirmwareRoutes
from edge.updates.rollouts.model import OPEN
from edge.updates.rollouts.orders import FirmwareOrders
from edge.updates.rollouts.rollouts import Rollouts
from edge.updates.rollouts.routes import RolloutRoutes
from edge.updates.rollouts.summary import Summary
from edge.updates.rollouts.views import RolloutViews
from edge.wire.updates import RolloutState, Step
from edge.wire.views import LiveEvent

HELD_NAMED = 3  # of devices held off, in the one sentence about them


class Held:
    """The artifacts of this hub, as rollouts ask of them."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    async def firmware(self, artifact: str) -> Firmware:
        """What an artifact is, by its id or the begin of it. Raises NotFound."""
        found = self._artifacts.get(artifact)
        return Firmware(
            artifact=found.id,
            kind=found.kind,
            target=found.target,
            chip=found.chip,
            version=found.version,
            security=found.security,
            size=found.size,
            legacy_only=found.legacy_only,
        )

    def trusts(self, artifact: str) -> bool:
        """Whether somebody who is trusted now has signed it, or it needs no signature."""
        found = self._artifacts.find(artifact)
        return found is not None and self._artifacts.trusted(found)

    def variant_of(self, app: str) -> str:
        """What kind of app an artifact is; '' for one that is not held."""
        found = self._artifacts.find(app) if app else None
        return found.target if found is not None else ""


class RolloutsPart(Part):
    """Built by the hub. `handing` is what the doors of devices ask, `offers` where each device stands, `rollouts`
    what people do, `orders` what head office asks."""

    def __init__(self, core: Core, updates: UpdatesPart) -> None:
        self._core = core
        hub, clock, registry = core.store.hub, core.clock, core.registry
        held = Held(updates.artifacts)
        self.offers = Offers(hub, core.bus, clock, core.zone, registry, core.presences)
        self.offers.know_variants_by(held.variant_of)
        self.offers.ask_trust(held.trusts)
        self.rollouts = Rollouts(hub, clock, core.zone, registry, core.presences, self.offers, core.groups, held)
        self.orders = FirmwareOrders(hub, clock, registry, self.offers, self.rollouts.engine, held)
        self.views = RolloutViews(self.rollouts, self.offers, registry, clock, core.store.boots)
        self.handing = Handing(self.offers, updates.artifacts, updates.downloads)
        self._summary = Summary(hub, registry, self.offers, clock, held.variant_of)
        updates.artifacts.ask_uses(self)

    def routes(self) -> list[Route]:
        """/v1/rollouts, /v1/devices/{id}/firmware, /v1/firmware/summary."""
        of_devices = DeviceFirmwareRoutes(
            self.rollouts, self.offers, self.views, self._summary, self._core.registry
        )
        return [*RolloutRoutes(self.rollouts, self.views).all(), *of_devices.all()]

    async def start(self) -> None:
        """Load what stands."""
        await self.offers.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """What is due, and telling of it."""
        return {
            "rollouts": self.rollouts.run,
            "rollouts-telling": self.offers.telling.run,
            "rollouts-orders": self.orders.run,
        }

    def open_of(self, artifact_id: str) -> int:
        """How many rollouts that are not over need an artifact."""
        return sum(one.artifact == artifact_id for one in self.offers.book.rollouts.values())

    def open_in(self, tx: Transaction, artifact_id: str) -> int:
        """How many, by the database as this transaction sees it."""
        return sql.used_by(tx, artifact_id)

    def samples(self) -> list[Sample]:
        """How rollouts stand, how far their devices are, how updates ended."""
        gauge, book = "gauge", self.offers.book
        states = Counter(one.state for one in book.rollouts.values())
        steps = Counter(one.step for one in book.targets.values())
        ended = {f'{{step="{step.value}"}}': float(count) for step, count in self.offers.ended.items()}
        return [
            Sample(
                "rollouts",
                gauge,
                "Rollouts that are not over, by state.",
                {f'{{state="{state.value}"}}': float(states[state]) for state in RolloutState if state in OPEN},
            ),
            Sample(
                "updates_open",
                gauge,
                "Devices that are offered something, by step.",
                {f'{{step="{step.value}"}}': float(count) for step, count in sorted(steps.items())},
            ),
            Sample("updates_ended_total", "counter", "Updates that ended since the start, by step.", ended),
            Sample(
                "updates_held_off",
                gauge,
                "Devices that are not offered what went wrong on them.",
                {"": float(len(self._held_off()))},
            ),
        ]

    def problems(self) -> list[str]:
        """Rollouts that stopped by themselves, that wait for a clock, and devices held off."""
        found = []
        for rollout in self.offers.book.rollouts.values():
            version = rollout.firmware.version if rollout.firmware is not None else rollout.artifact[:16]
            if rollout.state is RolloutState.PAUSED and rollout.stopped:
                found.append(
                    f"The rollout of {version} has stopped: {rollout.reason} `outpost firmware rollout show"
                    f" {rollout.id}` says what went wrong; then resume, retry or abort it."
                )
            waits = rollout.plan.window if rollout.started_us else rollout.starts_us
            if rollout.state in OPEN and waits and not self._core.clock.now().quality.good:
                found.append(
                    f"The rollout of {version} waits: nothing has set this machine's clock, so nobody knows whether"
                    " its time has come."
                )
        return [*found, *self._held_off_told()]

    def _held_off(self) -> list[str]:
        """Devices that would be offered something, had it not gone wrong on them before."""
        waiting = (one for one in self.offers.book.targets.values() if one.step is Step.WAITING)
        return [one.device for one in waiting if self.offers.held_until_s(one.device, one.artifact) is not None]

    def _held_off_told(self) -> list[str]:
        held = [self._core.registry.known(device).name for device in self._held_off()]
        if not held:
            return []
        more = f" and {len(held) - HELD_NAMED} more" if len(held) > HELD_NAMED else ""
        named = ", ".join(held[:HELD_NAMED]) + more
        return [
            f"Not offered what they wait for, since it went wrong on them before: {named}. They get it a day after"
            " that, or at once: `outpost firmware assign DEVICE ARTIFACT`."
        ]

    async def translate(self, event: Event) -> LiveEvent | None:
        """A rollout, or one device of it, as it is now."""
        if isinstance(event, RolloutChanged):
            view = await self.views.rollout(await self.rollouts.get(event.rollout_id))
            return LiveEvent(topic="rollout", data=msgspec.to_builtins(view))
        if isinstance(event, UpdateChanged):
            target = await self.rollouts.device(event.rollout_id, event.device_id)
            if target is None:
                return None
            data = {"rollout": event.rollout_id, **msgspec.to_builtins(self.views.device(target))}
            return LiveEvent(topic="update", data=data)
        return None

    async def forget(self, device: Device, actor: str) -> None:
        """Nothing is wanted of it any more."""
        await self.offers.forget(device, actor)

    async def stop(self) -> None:
        """Keep for how long this hub has watched."""
        await self.offers.save()
