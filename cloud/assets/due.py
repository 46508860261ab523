"""Notes what of bands is due to be worked out anew, where readings, states and facts come in: in the transaction
that stores them, so that nothing is ever missed.

Readings come by the thousand, so those that tell of no asset must cost nothing: which series do is remembered,
until the site's number for it says that it is otherwise by now.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import chain

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics.times_store import UNSET, fixed_boots
from cloud.assets import due_store as sql
from cloud.assets.definition_store import SiteKey, definitions, watched
from cloud.assets.definitions import concerned
from cloud.sites.gate import HubCaller
from cloud.sync.clock_fixes import fixes
from cloud.sync.projection import Arrived
from edge.wire.ledger import Fact
from edge.wire.sync import NumberRow, StateRow, TextRow
from edge.wire.times import since

SITES_KEPT = 2_000  # whose series this instance remembers; the one longest not heard of goes first
SERIES_KEPT = 20_000  # of one site; more are looked up anew


class ReadingsDue:
    """A ReadingsWatch: readings that tell of an asset have come."""

    def __init__(self) -> None:
        self._known: OrderedDict[SiteKey, _Wanted] = OrderedDict()

    async def __call__(self, connection: AsyncConnection, site: HubCaller, arrived: Arrived, watched: int) -> None:
        """Note from when on the assets of which devices are due."""
        key = site.tenant_id, site.site_id
        wanted = await self._wanted(connection, key, watched)
        devices = wanted.devices(arrived)
        if not devices:
            return
        first_us, unset = _first(devices, chain(arrived.numbers, arrived.texts))
        if unset:
            began_us = {
                -boot.number: boot.began_us
                for boot in await fixed_boots(connection, *key)
                if boot.epoch_no == arrived.epoch_no
            }
            for (device, boot), mono_ms in unset.items():
                if boot in began_us:
                    first_us[device] = min(first_us[device], since(began_us[boot], mono_ms))
        await sql.add(connection, key, first_us)

    async def _wanted(self, connection: AsyncConnection, key: SiteKey, watched: int) -> _Wanted:
        known = self._known.get(key)
        if known is None or known.watched != watched:
            inputs = {name for made in await definitions(connection, key) for name in made.inputs}
            known = self._known[key] = _Wanted(watched, inputs)
        self._known.move_to_end(key)
        if len(self._known) > SITES_KEPT:
            self._known.popitem(last=False)
        return known


class StatesDue:
    """A StateWatch: assets are defined otherwise, or there are new ones."""

    def __init__(self) -> None:
        self._known: OrderedDict[SiteKey, tuple[int, dict[tuple[str, str], bytes]]] = OrderedDict()

    async def __call__(
        self, connection: AsyncConnection, site: HubCaller, rows: Sequence[StateRow], watched: int
    ) -> bool:
        """Note it; an asset's state alone, or when its logger was heard, is none of it."""
        told = concerned(rows)
        if not told:
            return False
        key = site.tenant_id, site.site_id
        number, known = self._known.get(key, (0, {}))
        if number == watched and told.items() <= known.items():
            return False
        # another instance may have been told in between: what it was told is not known here
        self._known[key] = watched + 1, {**(known if number == watched else {}), **told}
        self._known.move_to_end(key)
        if len(self._known) > SITES_KEPT:
            self._known.popitem(last=False)
        await sql.add(connection, key, {sql.ALL: sql.DEFINED})
        return True


class ClocksDue:
    """A Projection: a boot's clock was not set, and its readings are of another time than was known. It stands
    before the one that keeps the fixes: it needs what was known before."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Note from when on all assets of the site are due."""
        began_us = {fixed.boot: fixed.began_us for _, fixed in fixes(facts)}
        key = site.tenant_id, site.site_id
        if not began_us or not await watched(connection, key):
            return
        first_us = await sql.first_of_boots(connection, key, began_us)
        if first_us is not None:
            await sql.add(connection, key, {sql.ALL: first_us})


class _Wanted:
    """Which series of a site tell of assets."""

    def __init__(self, watched: int, inputs: set[tuple[str, str]]) -> None:
        self.watched, self._inputs = watched, inputs
        self._seen: dict[tuple[int, int], str] = {}  # epoch and series: of which device, '' for no asset's

    def devices(self, arrived: Arrived) -> dict[int, str]:
        """The devices of those series among them that tell of assets."""
        found: dict[int, str] = {}
        if len(self._seen) > SERIES_KEPT:
            self._seen.clear()
        for number in arrived.series:
            key = arrived.epoch_no, number
            device = self._seen.get(key)
            if device is None:
                name = arrived.names[number]
                device = self._seen[key] = name[0] if name in self._inputs else ""
            if device:
                found[number] = device
        return found


def _first(
    devices: dict[int, str], rows: Iterable[NumberRow | TextRow]
) -> tuple[dict[str, int], dict[tuple[str, int], int]]:
    """The earliest time of each device's readings, as rows have it; and, of those without a set clock, the earliest
    monotonic time of each device and boot."""
    first_us: dict[str, int] = {}
    unset: dict[tuple[str, int], int] = {}
    for row in rows:
        device = devices.get(row[1])
        if device is None:
            continue
        first_us[device] = min(row[2], first_us.get(device, row[2]))
        if row[5] == UNSET and row[7] < 0:
            at = device, row[7]
            unset[at] = min(row[8], unset.get(at, row[8]))
    return first_us, unset
