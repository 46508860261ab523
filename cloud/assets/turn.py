"""What there is to do about the assets of a site now: which bands are to be worked out anew, from when on; and of
which loggers there came but signs of life.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.times_store import fixed_boots
from cloud.assets import band_store as sql
from cloud.assets.band_store import Mark
from cloud.assets.definition_store import SiteKey
from cloud.assets.derivation import Standing, lived_on
from cloud.assets.due_store import ALL, Due
from cloud.assets.evidence import SiteReadings
from cloud.assets.made import Difference, Made, Written, difference
from edge.assets.deriving import FOREVER_US
from edge.assets.model import State, Tail

SAME = Difference(None, relaid=False)


class Task(msgspec.Struct, frozen=True):
    """An asset whose bands are to be worked out from `since_us` on; `relaid`: all others of it too, from what is
    known in them. `mark` None: it has none yet."""

    made: Made
    mark: Mark | None
    since_us: int
    relaid: bool


class Plan(msgspec.Struct, frozen=True):
    """What there is to do at a site. `lived`: the marks, as they are now, of assets whose loggers only went on
    watching; `gone`: those of assets that the hub tells of no more; `tasks`: what is to be worked out."""

    lived: list[Mark]
    gone: list[Mark]
    tasks: list[Task]


class SiteTurn:
    """One look at a site, with what is due there."""

    def __init__(self, connection: AsyncConnection, site: SiteKey, dues: Sequence[Due], now_us: int) -> None:
        self._connection, self._site, self._now_us = connection, site, now_us
        self._first_us = {one.device: one.from_us for one in dues}
        self._lives: dict[str, list[tuple[int, float]]] = {}

    async def planned(self, all_made: Sequence[Made]) -> Plan:
        """What is to be done."""
        marks = await sql.marks(self._connection, self._site)
        told = {made.asset.id for made in all_made}
        gone = [mark for mark in marks.values() if mark.asset not in told and mark.made_by]
        tasks = [task for made in all_made if (task := self._task(made, marks.get(made.asset.id))) is not None]
        quiet = await self._quiet([task for task in tasks if task.mark is not None and not task.relaid])
        lived: list[Mark] = []
        rest: list[Task] = []
        for task in tasks:
            after = self._lived(task) if task.made.asset.id in quiet else None
            if after is None:
                rest.append(task)
            else:
                lived.append(after)
        return Plan(lived, gone, rest)

    def _task(self, made: Made, mark: Mark | None) -> Task | None:
        due_us = self._due_us(made)
        looks = mark is not None and mark.look_us is not None and mark.look_us <= self._now_us
        if due_us is None and not looks:
            return None
        differs = _difference(made, mark)
        times = [at_us for at_us in (differs.since_us, due_us) if at_us is not None and at_us < FOREVER_US]
        if not times and not differs.relaid and not looks:
            return None
        return Task(made, mark, min(times, default=0 if mark is None else mark.upto_us), differs.relaid)

    def _due_us(self, made: Made) -> int | None:
        """From when on what tells of it is due; FOREVER_US where only its definition is, None for nothing."""
        times = [self._first_us[ALL]] if ALL in self._first_us else []
        for wiring, (_, end_us) in made.asset.spans():
            at_us = self._first_us.get(wiring.device, FOREVER_US)
            times += [at_us] if at_us < end_us else []
        return min(times, default=None)

    async def _quiet(self, tasks: Sequence[Task]) -> set[str]:
        """The assets of which nothing was stated since their marks, so that signs of life are all there can be;
        those are looked up, once for all assets of a logger."""
        boots = await fixed_boots(self._connection, *self._site) if tasks else []
        readings = SiteReadings(self._connection, self._site, boots)
        by_device: dict[str, list[tuple[Task, Mark]]] = {}
        for task in tasks:
            if task.mark is not None and 0 < task.mark.evidence_us < task.since_us:
                by_device.setdefault(task.made.device, []).append((task, task.mark))
        quiet: set[str] = set()
        for device, some in by_device.items():
            from_us = min(task.since_us for task, _ in some)
            if await readings.first_from([_input(task) for task, _ in some], from_us) is None:
                quiet |= {task.made.asset.id for task, _ in some}
            else:
                quiet |= {
                    task.made.asset.id
                    for task, _ in some
                    if await readings.first_from([_input(task)], task.since_us) is None
                }
            span = min(mark.evidence_us for _, mark in some) + 1, FOREVER_US
            lives = await readings.lives(device, span) if quiet else []
            self._lives[device] = [(one.at_us, one.alive_s) for _, one in lives if one.alive_s is not None]
        return quiet

    def _lived(self, task: Task) -> Mark | None:
        """The mark of an asset after signs of life that change nothing; None where they do."""
        made, mark = task.made, task.mark
        assert mark is not None  # else it is not quiet
        stood = Standing(mark.upto_us, Tail(State(mark.raw), mark.evidence_us), mark.alive_s, mark.look_us)
        lives = [one for one in self._lives[made.device] if one[0] > mark.evidence_us]
        after = lived_on(made, stood, lives, self._now_us)
        if after is None:
            return None
        return msgspec.structs.replace(
            mark,
            upto_us=after.upto_us,
            evidence_us=after.tail.evidence_us,
            alive_s=after.alive_s,
            look_us=after.look_us,
        )


def _difference(made: Made, mark: Mark | None) -> Difference:
    if mark is None or not mark.made_by:
        return difference(None, made)
    if mark.made_by == made.written():
        return SAME
    return difference(msgspec.json.decode(mark.made_by, type=Written), made)


def _input(task: Task) -> tuple[str, str]:
    return task.made.device, task.made.asset.wirings[-1].input
