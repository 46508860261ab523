"""What head office is shown of a device's firmware: what it runs by its own word, and how far an offer is."""

from __future__ import annotations

from collections.abc import Callable

from edge.clock import iso
from edge.devices.model import Device
from edge.store.boots import Boots
from edge.updates.offers.offers import Offers
from edge.wire.updates import FirmwareSeen


class FirmwareSight:
    """Draws it from memory alone: it is drawn whenever a device changes. `variant_of`: see Offers."""

    def __init__(self, offers: Offers, boots: Boots, variant_of: Callable[[str], str]) -> None:
        self._offers, self._boots, self._variant_of = offers, boots, variant_of

    def of(self, device: Device) -> FirmwareSeen | None:
        """None where it never said what it runs, and nothing is wanted of it."""
        known, target = self._offers.running(device.id), self._offers.book.targets.get(device.id)
        running, seen_us = known.running, known.seen_us
        if running is None and target is None and not known.legacy:
            return None
        return FirmwareSeen(
            device=device.id,
            version=running.version if running else "",
            app=running.app if running else "",
            image=running.image if running else "",
            security=running.security if running else 0,
            trial=running.trial if running else False,
            legacy=known.legacy,
            seen_at=iso(self._boots.when(seen_us, known.seen_clock)) if seen_us else None,
            rollout=target.rollout if target else None,
            artifact=target.artifact if target else None,
            step=target.step if target else None,
            reason=target.reason if target else "",
            held_off_until=None,
            target=(self._variant_of(running.app) if running and running.app else "") or device.kind,
            attempt=target.attempt if target else 0,
            done=target.done if target else 0,
            size=target.size if target else 0,
        )
