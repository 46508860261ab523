"""The assets of this hub as they are defined now, and what is said of stops: looked up here, changed elsewhere.

All definitions are held in memory and follow their commits: one hub watches some hundreds of machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from edge.assets.answers.asking import Explanation
from edge.assets.defined import store as sql
from edge.assets.defined.explanations import Explanations
from edge.assets.defined.rules import Rules
from edge.assets.defined.wirings import Definition, Kept, defined
from edge.assets.events import AssetDefined
from edge.assets.model import Span
from edge.bus import Bus
from edge.clock import Clock
from edge.errors import NotFound
from edge.store.database import Database
from edge.store.transaction import Within, nothing
from edge.wire.assets import NAME_CHARS


class AssetBook(Rules):
    """Every asset by id, by name, by the inputs that tell of it; with the rules of the site, and what is said."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, zone: ZoneInfo) -> None:
        super().__init__(database, clock, zone)
        self._bus, self._when = bus, database.boots.when
        self._said = Explanations(database, clock)
        self._kept: dict[str, Kept] = {}
        self._known: dict[str, Definition] = {}
        self._inputs: dict[tuple[str, str], str] = {}  # what is wired where now
        self._told_by: dict[str, list[str]] = {}  # by device: the assets it tells of, or ever told of
        database.boots.on_fixed(self._clock_fixed)

    async def start(self) -> None:
        """Load all of it."""
        await super().start()
        self._know(*await self._db.write(sql.load))

    def all(self, *, removed: bool = False) -> list[Definition]:
        """Every asset by line and name; removed ones only where asked for."""
        known = [one for one in self._known.values() if removed or not one.removed]
        return sorted(known, key=lambda one: (one.line.casefold(), one.name.casefold(), one.id))

    def get(self, id_or_name: str) -> Definition:
        """The asset with this id, removed or not, or with this name. Raises NotFound."""
        found = self._known.get(id_or_name) or self._named(id_or_name)
        if found is None:
            hint = "`outpost asset list` shows them all."
            raise NotFound(f"There is no asset {id_or_name[:NAME_CHARS]!r}.", hint=hint)
        return found

    def find(self, asset_id: str) -> Definition | None:
        """The asset with exactly this id, removed or not."""
        return self._known.get(asset_id)

    def of_device(self, device_id: str) -> list[Definition]:
        """Every asset, removed ones too, that this device tells of or ever told of."""
        return [self._known[asset_id] for asset_id in self._told_by.get(device_id, ())]

    def devices(self) -> set[str]:
        """Every device that tells of an asset now, forgotten ones too."""
        return {one.wired.device for one in self._known.values()}

    def by_input(self, device_id: str, input: str) -> Definition | None:
        """The asset that this input tells of now; None where nobody has wired it, or the asset is removed."""
        asset_id = self._inputs.get((device_id, input))
        return self._known[asset_id] if asset_id else None

    # --- what is said of stops

    async def explain(
        self, asset_id: str, span: Span, reason: str, note: str = "", *, actor: str, within: Within = nothing
    ) -> Explanation[str]:
        """Give the stop that has this span a reason; '' takes away what was said. Raises NotFound, BadInput,
        Rejected."""
        asset = self.get(asset_id)
        given = self.reason(reason) if reason else None
        return await self._said.add(asset.id, span, given, note, actor=actor, within=within)

    async def explanations(self, asset_ids: Sequence[str], span: Span) -> list[Explanation[str]]:
        """What was said of spans that overlap this one, the entry said last behind all others."""
        return await self._said.of(asset_ids, span)

    async def reason_of(self, asset_id: str, span: Span) -> str:
        """The id of the reason of the stop that has this span, '' for none."""
        return await self._said.reason_of(asset_id, span)

    # --- inside

    def _named(self, name: str) -> Definition | None:
        """The asset that bears a name; case does not tell two apart."""
        folded = name.strip().casefold()
        for one in self._known.values():
            if not one.removed and one.name.casefold() == folded:
                return one
        return None

    def _know(self, *changed: Kept) -> None:
        """Follow a commit."""
        for kept in changed:
            self._kept[kept.id] = kept
            self._known[kept.id] = defined(kept, self._when)
        self._inputs, self._told_by = {}, {}
        for one in self._known.values():
            if not one.removed:
                self._inputs[one.wired.device, one.wired.input] = one.id
            for device_id in one.devices():
                self._told_by.setdefault(device_id, []).append(one.id)

    def _clock_fixed(self, boot_id: str, began_us: int) -> None:
        """Wirings that were made before the clock was set began when they really did."""
        for kept in list(self._kept.values()):
            if any(wiring.clock and wiring.clock.startswith(f"{boot_id} ") for wiring in kept.wirings):
                since_us = min(wiring.from_us for wiring in kept.wirings)
                self._know(kept)
                self._bus.publish(AssetDefined(asset_id=kept.id, since_us=since_us))
