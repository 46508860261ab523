"""What a part of the centre is, and what every part may build upon."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

import msgspec
from aiohttp import web

from cloud.db.database import Database
from cloud.db.partitions import Months
from cloud.db.signals import Signals
from cloud.settings import CloudSettings
from edge.clock import Clock
from edge.serving.knocking import Knocking
from edge.serving.metrics import Sample
from edge.serving.routing import Route


class Core(msgspec.Struct, frozen=True, kw_only=True):
    """What all parts share."""

    settings: CloudSettings
    clock: Clock
    db: Database
    months: Months
    signals: Signals
    knocking: Knocking


class Part:
    """One part. Everything here may be left as it is; the centre calls it in the order of its list of parts."""

    def routes(self) -> list[Route]:
        """Its /v1 routes."""
        return []

    def paths(self) -> list[web.RouteDef]:
        """Its paths outside /v1: those of hubs, and the older systems'."""
        return []

    async def start(self) -> None:
        """Load what it keeps: the database works, nothing listens yet."""

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Its background work by name; each runs until cancelled. One that fails is begun anew a while later."""
        return {}

    def samples(self, tenant_id: int | None) -> list[Sample]:
        """Its metrics of one tenant; with None those of all together, which are told on this machine alone."""
        return []

    async def stop(self) -> None:
        """Let go of what holds connections open; the database still works."""
