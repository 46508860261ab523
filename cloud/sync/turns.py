"""Turns of sites: whatever one of them sends at once, the others' requests do not queue up behind all of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from edge.errors import RateLimited

AT_ONCE = 8  # requests of one site, beside the one that waits for its inbox
WORKING = 2  # of those, at the database; and as many batches of readings, which take longest
AGAIN_S = 1.0  # when to come again, who had more


class Turns:
    """What each site has under way. Holds nothing of sites that have nothing."""

    def __init__(self) -> None:
        self._count: dict[int, int] = {}
        self._working: dict[tuple[int, bool], asyncio.Semaphore] = {}

    @contextlib.contextmanager
    def enters(self, site_id: int) -> Iterator[None]:
        """For the time of one request. Raises RateLimited when there are AT_ONCE already."""
        count = self._count.get(site_id, 0)
        if count >= AT_ONCE:
            raise RateLimited(f"This site has {AT_ONCE} requests under way.", retry_after_s=AGAIN_S)
        self._count[site_id] = count + 1
        try:
            yield
        finally:
            self._count[site_id] -= 1
            if not self._count[site_id]:
                del self._count[site_id]
                for bulk in (False, True):
                    self._working.pop((site_id, bulk), None)

    @contextlib.asynccontextmanager
    async def turn(self, site_id: int, *, bulk: bool) -> AsyncIterator[None]:
        """Within `enters`: wait for this site's turn among its own; `bulk` has its own turns."""
        async with self._working.setdefault((site_id, bulk), asyncio.Semaphore(WORKING)):
            yield
