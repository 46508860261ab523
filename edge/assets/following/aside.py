"""Makes all bands of an asset anew aside, a step at a time, while those there are go on being asked and kept up."""

from __future__ import annotations

import msgspec

from edge.assets.following import bands_store as store
from edge.assets.following.evidence import Recorded, keys_of
from edge.assets.following.following import Followed
from edge.assets.following.keeping import Keeping
from edge.assets.following.making import Calendar, Laid, Made, Task, lay, make, step_end
from edge.store.bulk import Raw


class Aside:
    """The making of one asset's bands on another track.

    Up to `since_us` they are taken over from the present track, under the calendar there is now; from there on they
    follow from readings. `by`: by which definition and calendar; where another is wanted meanwhile it is begun
    again.
    """

    def __init__(self, followed: Followed, since_us: int, calendar: Calendar, by: tuple[str, str]) -> None:
        self.followed, self.by = followed, by
        self.again_us: int | None = None
        self.track = 0
        self._asset, self._calendar, self._since_us = followed.asset, calendar, since_us
        self._laid_us: int | None = store.BASE_US
        self._at_us = since_us

    def owe(self, at_us: int) -> None:
        """What is new from a time on may not be in what was made already; what is to come will have it."""
        if at_us >= self._at_us:
            return
        self.again_us = at_us if self.again_us is None else min(self.again_us, at_us)

    async def begin(self, keeping: Keeping, mark: store.Mark) -> None:
        """Have a track; the mark says what is owed."""
        self._since_us = self._at_us = max(self._since_us, keeping.floor_us)
        self.track = await keeping.begin_aside(mark)

    async def step(self, keeping: Keeping, now_us: int) -> Made | None:
        """Make the next step; what was made last once it is whole, before anybody is asked for it."""
        if self._laid_us is not None:
            await self._lay(keeping, self._laid_us)
            return None
        at_us, asset = self._at_us, self._asset

        def work(raw: Raw, evidence: Recorded) -> tuple[int | None, Made]:
            task = Task(asset=asset, track=self.track, since_us=at_us, now_us=now_us)
            end_us = step_end(raw, evidence, task, self._calendar)
            task = msgspec.structs.replace(task, upto_us=end_us)
            return end_us, make(raw, evidence, task, self._calendar)

        end_us, made = await keeping.read_evidence(keys_of(asset), work)
        await keeping.add_aside(self.track, made.from_us, [store.row(band) for band in made.bands])
        if end_us is None:
            return made
        self._at_us = end_us
        return None

    async def _lay(self, keeping: Keeping, from_us: int) -> None:
        tracks, span = (self.followed.track, self.track), (from_us, self._since_us)

        def work(raw: Raw) -> Laid:
            return lay(raw, self._asset, tracks, span, self._calendar)

        laid = await keeping.read(work)
        if laid.bands:
            await keeping.add_aside(self.track, laid.bands[0].at_us, [store.row(band) for band in laid.bands])
        self._laid_us = laid.next_us
