"""Many devices at once, each with its fate: most take what they are offered, some cannot, some are never heard."""

from __future__ import annotations

import random
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from edge.wire.updates import Heard, Offer, Step, Told


class Fate(StrEnum):
    """How an update goes on one device."""

    WELL = "well"
    CANNOT = "cannot"  # its download fails each time
    BACK = "back"  # it starts the new version, and goes back
    DEAF = "deaf"  # it never hears of it
    GONE = "gone"  # it starts the new version, and is not heard of again


SWITCHED = 4  # steps of PATH, behind which the device starts the new version
PATH = (Step.DOWNLOADING, Step.DOWNLOADING, Step.VERIFIED, Step.STAGED, Step.TESTING, Step.CONFIRMED)


class Said(msgspec.Struct, frozen=True):
    """What one device tells in a round."""

    device: str
    told: Told


class HubSide(Protocol):
    """How devices reach their hub."""

    async def offers(self, devices: Sequence[str]) -> dict[str, Offer]:
        """What stands for each of these, of those for whom anything does."""

    async def tell(self, said: Sequence[Said]) -> list[Heard]:
        """Each device says this, all at once; what it is answered once that is on disk."""


class Unit:
    """One device: what it has done of the offer it works on is its own to remember."""

    def __init__(self, device: str, fate: Fate) -> None:
        self.device, self.fate = device, fate
        self.offer: Offer | None = None
        self.done = 0  # steps of PATH that the hub has heard
        self.over = False
        self.seen: list[str] = []  # artifacts it was offered, in order

    def look(self, offer: Offer | None) -> None:
        """It asks its hub. What it has switched to it goes on with, whatever stands."""
        if self.past_switch or self.fate is Fate.DEAF:
            return
        if offer is None:
            self.offer = None
        elif self.offer is None or (offer.artifact, offer.attempt) != (self.offer.artifact, self.offer.attempt):
            self.offer, self.done, self.over = offer, 0, False
            self.seen.append(offer.artifact)

    @property
    def past_switch(self) -> bool:
        """Whether it will start, or has started, the new version."""
        return self.offer is not None and not self.over and self.done >= SWITCHED

    def says(self) -> Told | None:
        """What it tells next, if anything."""
        if self.offer is None or self.over:
            return None
        step, reason = PATH[self.done], ""
        if self.fate is Fate.CANNOT and self.done == 1:
            step, reason = Step.FAILED, "a file never came right"
        elif self.fate is Fate.BACK and step is Step.CONFIRMED:
            step, reason = Step.ROLLED_BACK, "no hub in 90 s"
        elif self.fate is Fate.GONE and step is Step.TESTING:
            return None
        done = self.offer.size * (self.done + 1) // len(PATH)
        offer = self.offer
        return Told(
            artifact=offer.artifact, step=step, attempt=offer.attempt, done=done, size=offer.size, reason=reason
        )

    def heard(self, told: Told, heard: Heard) -> None:
        """It was answered."""
        if told.step is Step.TESTING and not heard.confirm and self.fate is Fate.WELL:
            return
        self.done += 1
        if told.step not in PATH or told.step is Step.CONFIRMED:
            self.over = True


class Fleet:
    """All of them, with fates drawn by `seed`: of `share` per cent each but those that go well."""

    def __init__(self, devices: Sequence[str], share: dict[Fate, int], seed: int) -> None:
        draw = random.Random(seed)
        fates = [fate for fate, percent in share.items() for _ in range(len(devices) * percent // 100)]
        fates += [Fate.WELL] * (len(devices) - len(fates))
        draw.shuffle(fates)
        self.units = {device: Unit(device, fate) for device, fate in zip(devices, fates, strict=True)}

    def of(self, *fates: Fate) -> set[str]:
        """The devices with these fates."""
        return {unit.device for unit in self.units.values() if unit.fate in fates}

    async def round(self, hub: HubSide) -> int:
        """Each device looks and tells one thing; how many told anything."""
        offers = await hub.offers(list(self.units))
        said = []
        for unit in self.units.values():
            unit.look(offers.get(unit.device))
            told = unit.says()
            if told is not None:
                said.append(Said(unit.device, told))
        for one, heard in zip(said, await hub.tell(said), strict=True):
            self.units[one.device].heard(one.told, heard)
        return len(said)
