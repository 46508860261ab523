"""Follows what loggers say and keeps every asset's bands up to it: at once for what is new, step by step for what
came late.

It is told of readings as they are committed. What is on disk says how far their consequences are: up to which
reading (`progress`), and what each asset still owes. So a power cut loses nothing: what was not worked out is found
by its number, and worked out at the next start before anybody asks.

While nothing has set the hub's clock, and it says less than what is known, nobody can tell where in time a reading
belongs. How an asset stands is shown all the same; its bands are made once the clock is set.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping

from edge.assets.events import AssetChanged, AssetDefined, RulesChanged
from edge.assets.following.aside import Aside
from edge.assets.following.bands_store import Mark
from edge.assets.following.evidence import earliest
from edge.assets.following.following import NOWHERE, Followed, Standing
from edge.assets.following.inputs import NewInputs
from edge.assets.following.keeping import Keeping
from edge.assets.following.making import AHEAD_US, Made, Much, Task
from edge.assets.following.roster import Roster
from edge.assets.model import ALIVE, SECOND_US
from edge.bus import Bus, Subscription
from edge.clock import Clock, Stamp
from edge.errors import StorageError

log = logging.getLogger(__name__)

ROUND_ASSETS = 50  # made in one go: their bands are one commit
PAUSE_S = 0.05  # between two rounds: what comes meanwhile is made together
LOOK_S = 5.0  # how long at most until the clock is looked at: it may have been set
SAVE_S = 60.0  # signs of life of so long are read again after a power cut
LET_GO_S = 3600.0
TRY_AGAIN_S = 10.0  # a full disk does not empty in a second
BEGIN_ANEW_S = 60.0  # what failed in a way nobody foresaw may fail again
DAY_US = 86_400 * SECOND_US


class Watch:
    """Every asset, followed."""

    def __init__(
        self,
        keeping: Keeping,
        bus: Bus,
        clock: Clock,
        roster: Roster,
        inputs: NewInputs,
        *,
        keep_days: int,
    ) -> None:
        self._keeping, self._bus, self._clock = keeping, bus, clock
        self._roster, self._inputs, self._keep_us = roster, inputs, keep_days * DAY_US
        self._aside: Aside | None = None
        self._seq = self._saved_seq = 0
        self._moved = True  # readings may have been put where they belong
        self._wake = asyncio.Event()
        self._working = asyncio.Lock()
        self._saved_s = clock.mono_s()
        self._let_go_s = clock.mono_s() - LET_GO_S
        self._sweeping = True
        self._failed = False

    # --- asked

    def standing(self, asset_id: str) -> Standing:
        """How an asset stands."""
        followed = self._roster.find(asset_id)
        return NOWHERE if followed is None else followed.standing

    def standings(self) -> list[Standing]:
        """The same of all that are followed."""
        return [one.standing for one in self._roster]

    def lag_s(self) -> float:
        """How long ago that was which bands lack, 0 where they lack nothing."""
        owed = [one.owed_us for one in self._roster if one.owed_us is not None]
        since_us = max(min(owed, default=0), self._keeping.floor_us)
        return max(0, self._clock.now().at_us - since_us) / SECOND_US if owed else 0.0

    def problems(self) -> list[str]:
        """Why figures may not be what they should, in sentences."""
        found = []
        anew = sum(one.aside_us is not None for one in self._roster)
        if anew:
            machines = "one machine are" if anew == 1 else f"{anew} machines are"
            found.append(
                f"The states of {machines} being worked out anew; until that is done their figures are as before,"
                " and sums may be of both."
            )
        if self._failed:
            found.append("The states of machines cannot be worked out, as the log tells; it is tried again.")
        return found

    # --- told

    def hear(self, device_id: str, at_us: int, values: Mapping[str, object], seq: int) -> None:
        """Values of a device are on disk, all readings up to this number with them (Telemetry.follow_with)."""
        self._seq = seq
        if self._inputs.take(device_id, values):
            self._wake.set()
        followed = self._roster.of_device(device_id)
        if not followed:
            return
        now, alive, late = self._clock.now(), ALIVE in values, at_us < self._keeping.floor_us
        for one in followed:
            if not alive and one.inputs.isdisjoint(values):
                continue
            if not now.quality.good and self._waits(one, now) and one.hold(device_id, at_us, values):
                self._bus.publish(AssetChanged(asset_id=one.asset.id))
            if not late and one.hear(device_id, at_us, values, now.at_us):
                self._wake.set()

    def readings_moved(self) -> None:
        """The readings of boots whose clock was set lie where they belong."""
        self._moved = True
        self._wake.set()

    # --- working

    async def start(self) -> None:
        """Take up where the last run ended, and make what is lacking; what is much is made aside once it runs."""
        loaded = await self._keeping.load()
        self._seq = self._saved_seq = loaded.seq
        self._roster.load(loaded)
        async with self._keeping.reading():
            await self._inputs.add_known()
            self._roster.look_at_all()
            self._seq, news = await self._keeping.news(self._roster.keys(), self._saved_seq)
            self._roster.owe(news)
            await self._take_moved()
            while await self._round(self._clock.now()):
                pass

    async def run(self) -> None:
        """Keep up until cancelled; a full disk is waited out, and what else fails is begun anew from the disk: a
        hub that cannot say how machines stand still has other things to do."""
        while True:
            try:
                await self._run()
            except Exception:  # the task's edge: reported, told among the problems, and begun again
                log.exception("the states of machines could not be worked out; it is begun anew in a while")
                self._failed = True
                await asyncio.sleep(BEGIN_ANEW_S)

    async def _run(self) -> None:
        if self._failed:
            self._aside, self._sweeping, self._moved = None, True, True
            await self.start()
        events = self._bus.subscribe(only=(AssetDefined, RulesChanged))
        try:
            async with self._keeping.reading(), asyncio.TaskGroup() as group:
                group.create_task(self._follow_definitions(events), name="asset-definitions")
                while True:
                    await self._work()
        finally:
            events.close()

    async def catch_up(self, turns: int | None = None) -> None:
        """Make what is lacking, aside too: all of it, or as much as so many turns make. Not while it runs."""
        async with self._keeping.reading(), self._working:
            self._roster.look_at_all()
            while turns != 0 and await self._once(self._clock.now()):
                turns = None if turns is None else turns - 1

    async def save(self) -> None:
        """Keep how far bands are made, by what signs of life said since, and what they lack."""
        async with self._working:
            await self._save()

    async def _work(self) -> None:
        self._wake.clear()
        try:
            async with self._working:
                more = await self._once(self._clock.now())
        except StorageError:
            log.warning("what follows from readings could not be kept; it is tried again", exc_info=True)
            await asyncio.sleep(TRY_AGAIN_S)
            return
        self._failed = False
        if more:  # nothing waits for the next step of what is made aside
            await asyncio.sleep(PAUSE_S if self._wake.is_set() else 0)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._idle_s()):
                await self._wake.wait()

    async def _once(self, now: Stamp) -> bool:
        """Do what is due; whether there may be more."""
        if await self._inputs.add():
            self._roster.look_at_all()
        if self._moved:
            await self._take_moved()
        more = await self._round(now)
        more = await self._go_on_aside(now) or more
        if self._sweeping:  # also while much is made: what that leaves behind must not pile up
            self._sweeping = await self._keeping.sweep(self._aside.track if self._aside else 0)
        await self._upkeep(now)
        return more or self._sweeping

    async def _upkeep(self, now: Stamp) -> None:
        mono_s = self._clock.mono_s()
        if mono_s - self._saved_s >= SAVE_S:
            self._saved_s = mono_s
            await self._save()
        if mono_s - self._let_go_s >= LET_GO_S and now.quality.good:
            self._let_go_s = mono_s
            tracks = [one.track for one in self._roster if one.track]
            await self._keeping.let_go(tracks, now.at_us - self._keep_us)

    def _idle_s(self) -> float:
        now_us = self._clock.now().at_us
        due_us = min((one.due_us() for one in self._roster), default=now_us + DAY_US)
        return min(max((due_us - now_us) / SECOND_US, PAUSE_S), LOOK_S)

    # --- bands made in place

    async def _round(self, now: Stamp) -> bool:
        """Make what some assets lack; whether there were any."""
        some = self._due(now)
        if not some:
            return False
        tasks = [
            Task(asset=one.asset, track=one.track, since_us=one.begin(), now_us=now.at_us, known_us=one.upto_us)
            for one in some
        ]
        new_us = {task.asset.id: task.since_us for task in tasks}
        try:
            found = await self._keeping.make(tasks, self._roster.calendar)
            made = []
            for one, its in zip(some, found, strict=True):
                if isinstance(its, Much):
                    self._put_aside(one, its.since_us)
                now_made = its.until if isinstance(its, Much) else its
                if now_made is not None:
                    made.append((one, now_made))
            tracks = await self._keeping.keep([(its, one.mark(its)) for one, its in made])
        except BaseException:
            for one in some:
                one.give_back()
            raise
        for (one, its), track in zip(made, tracks, strict=True):
            if self._aside is not None and self._aside.followed is one:
                self._aside.owe(new_us[one.asset.id])
            self._take_over(one, its, track)
        return True

    def _due(self, now: Stamp) -> list[Followed]:
        """Assets to be made now; time has passed for all of them."""
        due: list[Followed] = []
        for one in self._roster:
            if self._waits(one, now):
                if one.held_silent(now.at_us):
                    self._bus.publish(AssetChanged(asset_id=one.asset.id))
                continue
            one.pass_time(now.at_us)
            if one.since_us is not None and len(due) < ROUND_ASSETS:
                due.append(one)
        return due

    def _take_over(self, one: Followed, made: Made, track: int) -> None:
        changed = one.made(made, track)
        if one.aside_us is None:
            one.by = one.wanted
        one.edge_us = self._roster.calendar.next_edge(one.asset.id, made.upto_us)
        if changed:
            self._bus.publish(AssetChanged(asset_id=one.asset.id))

    def _waits(self, one: Followed, now: Stamp) -> bool:
        """Whether nobody can tell where in time its readings of now belong."""
        return not now.quality.good and now.at_us < max(one.upto_us - AHEAD_US, self._keeping.floor_us)

    # --- bands made aside

    def _put_aside(self, one: Followed, since_us: int) -> None:
        one.put_aside(since_us)
        if self._aside is not None and self._aside.followed is one:
            self._aside.owe(since_us)

    async def _go_on_aside(self, now: Stamp) -> bool:
        """Make the next step of what is made aside; whether there is any."""
        aside = self._aside
        if aside is not None and aside.by != aside.followed.wanted:
            self._aside, self._sweeping = None, True
        if self._aside is None:
            return await self._begin_aside(now)
        one = self._aside.followed
        made = await self._aside.step(self._keeping, now.at_us)
        if made is not None:
            await self._end_aside(self._aside, one, made)
        return True

    async def _begin_aside(self, now: Stamp) -> bool:
        waiting = (one for one in self._roster if one.aside_us is not None)
        one = next((one for one in waiting if not self._waits(one, now)), None)
        if one is None or one.aside_us is None:
            return False
        aside = Aside(one, one.aside_us, self._roster.calendar, one.wanted)
        await aside.begin(self._keeping, one.mark())
        self._aside = aside
        return True

    async def _end_aside(self, aside: Aside, one: Followed, made: Made) -> None:
        made_by, laid_by = aside.by
        mark = Mark(
            asset=one.asset.id,
            made_by=made_by,
            laid_by=laid_by,
            upto_us=made.upto_us,
            evidence_us=made.evidence_us,
            owed_us=earliest((one.since_us, aside.again_us)),
        )
        await self._keeping.end_aside(aside.track, mark)
        self._aside, self._sweeping, one.aside_us = None, True, None
        one.by = aside.by
        if aside.by != one.wanted:
            one.aside_us = earliest((aside.again_us, made.upto_us))
        elif aside.again_us is not None:
            one.owe(aside.again_us)
        self._take_over(one, made, aside.track)

    # --- what is on disk

    async def _save(self, boots: list[str] | None = None) -> None:
        changed = [one for one in self._roster if one.by[0] and one.saved != (one.upto_us, one.owed_us)]
        if not changed and not boots and self._seq == self._saved_seq:
            return
        seq, saved = self._seq, [(one.upto_us, one.owed_us) for one in changed]
        await self._keeping.save([one.mark() for one in changed], seq, boots or [])
        self._saved_seq = seq
        for one, now in zip(changed, saved, strict=True):
            one.saved = now

    async def _take_moved(self) -> None:
        """Readings that lie elsewhere since a clock was set: bands are made anew where they were and are."""
        self._moved = False
        boots, moved = await self._keeping.moved(self._roster.keys())
        for times in moved:
            self._roster.owe(times)
        if boots:
            await self._save(boots)

    async def _follow_definitions(self, events: Subscription) -> None:
        self._roster.look_at_all()  # what changed since the start
        self._wake.set()
        async for event in events:
            if isinstance(event, AssetDefined):
                self._roster.look(event.asset_id, event.since_us)
            else:  # rules; or events were shed
                self._roster.look_at_all(event.planned_from_us if isinstance(event, RulesChanged) else None)
            self._wake.set()
