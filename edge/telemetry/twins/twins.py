"""What every device shall be: changed in one transaction with its fact, kept in memory, told on the bus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from edge.devices.model import Device
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing
from edge.telemetry.events import TwinChanged
from edge.telemetry.model import Value
from edge.telemetry.twins import store as sql
from edge.telemetry.twins.model import Twin, checked, merge

Ordered = Callable[[str, Iterable[str]], None]


class Twins:
    """Every twin. Memory follows the commit."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._twins: dict[str, Twin] = {}
        self._ordered: list[Ordered] = []

    def on_order(self, ordered: Ordered) -> None:
        """Call `ordered(device_id, keys)` after each order, also one for what was desired already."""
        self._ordered.append(ordered)

    async def start(self) -> None:
        """Load every twin."""
        for twin in await self._db.write(sql.load):
            self._keep(twin)

    def of(self, device_id: str) -> Twin:
        """What a device shall be; version 0 when nobody has ever said."""
        return self._twins.get(device_id) or Twin(device_id=device_id)

    async def change(
        self, device: Device, changes: Mapping[str, object], *, actor: str, within: Within = nothing
    ) -> Twin:
        """Desire values by key, None to desire a key no longer; the twin as it is on disk then, with what `within`
        writes.

        What changes nothing makes no new version. Raises Rejected, TooLarge.
        """
        wanted = checked(changes)

        def work(tx: Transaction) -> Twin:
            twin = self.apply(tx, device.id, wanted, actor)
            within(tx)
            return twin

        return await self._db.write(work)

    def apply(self, tx: Transaction, device_id: str, changes: Mapping[str, Value | None], actor: str) -> Twin:
        """The same within a caller's own transaction, for `changes` that are `checked`."""
        before = sql.get(tx, device_id)
        after = merge(before, changes, at_us=tx.stamp.at_us, by=actor)
        tx.after(lambda: self._tell_ordered(device_id, changes))
        if after is before:
            return before
        sql.save(tx, after)
        tx.fact("twin.changed", device_id, version=after.version, changes=dict(changes), by=actor)
        tx.after(lambda: self._keep(after))
        tx.tell(TwinChanged(device_id=device_id, version=after.version))
        return after

    async def follow(self, device_id: str, changes: Mapping[str, Value | None], *, since: int, actor: str) -> Twin:
        """Desire what a device was set to by hand, unless anybody has desired something since that version."""
        wanted = checked(changes)

        def work(tx: Transaction) -> Twin:
            twin = sql.get(tx, device_id)
            return self.apply(tx, device_id, wanted, actor) if twin.version == since else twin

        return await self._db.write(work)

    async def clear(self, device_id: str, *, actor: str) -> None:
        """Desire nothing more of a device that is being forgotten; its version stays."""
        nothing: dict[str, Value | None] = dict.fromkeys(self.of(device_id).desired)
        if nothing:
            await self._db.write(lambda tx: self.apply(tx, device_id, nothing, actor))

    def _tell_ordered(self, device_id: str, changes: Mapping[str, Value | None]) -> None:
        for ordered in self._ordered:
            ordered(device_id, changes)

    def _keep(self, twin: Twin) -> None:
        if twin.version >= self.of(twin.device_id).version:
            self._twins[twin.device_id] = twin
