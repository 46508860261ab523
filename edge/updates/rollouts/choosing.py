"""Whom a rollout is for, in which order, and when it begins: what is settled once, when it does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from edge.clock import Stamp
from edge.devices.groups.groups import Groups
from edge.devices.model import NAME_CHARS, Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput, Rejected
from edge.updates.offers.model import OLDER, Firmware, Rollout, objection
from edge.updates.offers.offers import Offers
from edge.wire.updates import TARGETS_MAX, Step
from edge.wire.updates import Target as Whom

AHEAD_MAX_US = 366 * 86_400 * 1_000_000


class Catalogue(Protocol):
    """Where artifacts are."""

    async def firmware(self, artifact: str) -> Firmware:
        """What an artifact is. Raises NotFound."""

    def trusts(self, artifact: str) -> bool:
        """Whether somebody who is trusted now has signed it, or it needs no signature."""


class Chosen(msgspec.Struct, frozen=True):
    """A device that a rollout begins with: at `step` at once where nothing need or must be offered, and why."""

    device: str
    step: Step
    reason: str


class Choosing:
    """Settles it."""

    def __init__(
        self, zone: ZoneInfo, registry: Registry, presences: Presences, offers: Offers, groups: Groups
    ) -> None:
        self._zone, self._registry, self._presences = zone, registry, presences
        self._offers, self._groups = offers, groups

    async def devices(self, whom: Whom) -> list[Device]:
        """The approved devices that are meant. Raises NotFound, BadInput, or Rejected where there is none, or one
        that was named is not approved."""
        if whom.sites or sum(map(bool, (whom.devices, whom.group, whom.kind))) != 1:
            raise BadInput("Name either devices, a group or a kind of device; sites are for head office.")
        if whom.devices:
            named = list({device.id: device for device in map(self._registry.get, whom.devices)}.values())
            for device in named:
                if not device.approved:
                    raise Rejected(f"{device.name} is not approved.", hint=f"`outpost device approve {device.id}`")
            devices = named
        elif whom.group:
            ids = set(await self._groups.members(whom.group))
            devices = [device for device in self._registry.all() if device.id in ids and device.approved]
        else:
            devices = [d for d in self._registry.all() if d.kind == whom.kind and d.approved]
        if not devices:
            raise Rejected("There is no approved device that this would be rolled out to.")
        if len(devices) > TARGETS_MAX:
            raise Rejected(f"A rollout has at most {TARGETS_MAX} devices.")
        return devices

    def choose(self, rollout: Rollout, devices: Sequence[Device]) -> list[Chosen]:
        """The devices in the order of their waves: those first that can tell something, by chance among them.

        Raises Rejected where a kind was named and no device of it runs what the firmware is for.
        """
        assert rollout.firmware is not None
        fitting = [device for device in devices if not _is_of_another_sort(device, rollout)]
        if not fitting:
            raise Rejected(
                f"None of these devices runs {rollout.firmware.target}.",
                hint="To make an older board something else, name it, or a group that it is in.",
            )
        chosen = []
        for device in fitting:
            running = self._offers.running(device.id).running
            why = objection(self._offers.board(device), rollout.firmware)
            step = Step.REJECTED if why else Step.WAITING
            if running is not None and not running.trial and rollout.artifact in (running.app, running.image):
                step, why = Step.ALREADY, ""
            drawn = blake2b(f"{rollout.id} {device.id}".encode(), digest_size=8).digest()
            offline = not self._presences.online(device)
            chosen.append(((step is Step.ALREADY, offline, drawn), Chosen(device.id, step, why)))
        return [one for _, one in sorted(chosen, key=lambda pair: pair[0])]

    def starts_us(self, text: str, now: Stamp) -> int | None:
        """The moment that is meant; without an offset it is the site's own time. Raises BadInput."""
        if not text:
            return None
        try:
            at = datetime.fromisoformat(text.strip())
            at = at if at.tzinfo else at.replace(tzinfo=self._zone)
            at_us = int(at.timestamp() * 1_000_000)
        except (ValueError, OverflowError) as error:
            raise BadInput("starts_at is an ISO 8601 time, for example 2026-11-21T22:00:00.") from error
        if now.quality.good and at_us > now.at_us + AHEAD_MAX_US:
            raise BadInput("A rollout begins within a year.")
        return at_us


def _is_of_another_sort(device: Device, rollout: Rollout) -> bool:
    """Whether it is an older board that is meant by its kind alone, and runs another firmware than this one: any of
    them may become any other, but never because somebody meant another one."""
    if not rollout.whom.kind or device.profile != OLDER or rollout.firmware is None:
        return False
    return device.facts.get("firmware") != rollout.firmware.target


def checked_name(text: str) -> str:
    """What people call a rollout; '' for nothing. Raises BadInput."""
    text = text.strip()
    if len(text) > NAME_CHARS or not text.isprintable():
        raise BadInput(f"A name has at most {NAME_CHARS} printable characters.")
    return text
