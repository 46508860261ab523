"""What devices run, and what became of updates lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from edge.clock import Clock
from edge.devices.registry import Registry
from edge.store.database import Database
from edge.updates.offers.offers import Offers
from edge.updates.rollouts import store as sql
from edge.wire.updates import FirmwareSummary, ReasonCount, Step, VersionCount

DAYS = 30
DAY_US = 86_400 * 1_000_000


class Summary:
    """Counts. `variant_of(app)` is what kind of app an artifact is, '' for one that is not known."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        offers: Offers,
        clock: Clock,
        variant_of: Callable[[str], str],
    ) -> None:
        self._db, self._registry, self._offers, self._clock = database, registry, offers, clock
        self._variant_of = variant_of

    async def view(self) -> FirmwareSummary:
        """As things stand."""
        since_us = self._clock.now().at_us - DAYS * DAY_US
        rows = [tuple(row) for row in await self._db.read(sql.ENDED_SINCE, (since_us,))]
        ended = sum(count for *_, count in rows)
        well = sum(count for step, _, count in rows if step == Step.CONFIRMED.value)
        reasons = [ReasonCount(step=Step(step), reason=reason, devices=count) for step, reason, count in rows]
        return FirmwareSummary(
            versions=self._versions(),
            reasons=reasons[: sql.REASONS_SHOWN],
            ended=ended,
            success_rate=well / ended if ended else None,
        )

    def _versions(self) -> list[VersionCount]:
        """What approved devices run, by their own word; the version is '' of those that never said."""
        counts: Counter[tuple[str, str]] = Counter()
        for device in self._registry.all():
            running = self._offers.running(device.id).running
            if device.approved and running is not None:
                counts[self._variant_of(running.app) or device.kind, running.version] += 1
        return [
            VersionCount(target=target, version=version, devices=count)
            for (target, version), count in sorted(counts.items())
        ]
