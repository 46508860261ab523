"""The assets of this hub: added, renamed, wired, removed.

An asset that comes by itself, with an input that nobody has wired, gives that input up once somebody wires it.
"""

from __future__ import annotations

import secrets
from zoneinfo import ZoneInfo

import msgspec

from edge.assets.defined import store as sql
from edge.assets.defined import texts
from edge.assets.defined.book import AssetBook
from edge.assets.defined.wirings import (
    Definition,
    Kept,
    KeptWiring,
    clashing,
    defined,
    free_from,
    is_unwanted,
    removed,
    rewired,
    taken_back,
    whole_ms,
)
from edge.assets.events import AssetDefined
from edge.assets.model import SHORT_STOP_S, SILENT_S
from edge.bus import Bus
from edge.clock import RTC_SET_S, Clock, iso
from edge.devices.registry import Registry
from edge.errors import BadInput, Conflict
from edge.serving.moments import moment
from edge.store.boots import unset
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing
from edge.wire.assets import (
    ASSETS_MAX,
    NAME_CHARS,
    WIRINGS_MAX,
    ChangeAsset,
    NewAsset,
    PlannedView,
    SetPlanned,
    Wire,
)

AHEAD_US = 60_000_000  # a wiring may begin so much later than now: clocks of people differ
DAY_US = 86_400_000_000
SET_US = RTC_SET_S * 1_000_000  # a clock that tells less was never set
NEW_UNTIL_US = 4_102_444_800_000_000  # 2100: what a hub takes that knows no time at all
BY_ITSELF = "hub"  # who added what came by itself


class Assets(AssetBook):
    """Every asset, and what may become of it."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, registry: Registry, zone: ZoneInfo) -> None:
        super().__init__(database, bus, clock, zone)
        self._registry = registry

    async def add(
        self,
        wanted: NewAsset,
        *,
        actor: str,
        within: Within = nothing,
        asset_id: str = "",
        asked_us: int | None = None,
    ) -> Definition:
        """A new asset; under `asset_id` where the caller has chosen one, and then once. `asked_us`: as for `wire`.

        Raises BadInput, NotFound, or Conflict where its name or its input is taken.
        """
        async with self._changing:
            if asset_id in self._known:
                await self._db.write(within)
                return self._known[asset_id]
            self._require_room()
            first = self._wiring(wanted, asked_us)
            kept = Kept(
                id=asset_id or new_id(),
                name=self._free_name(wanted.name),
                line=texts.line(wanted.line),
                short_stop_s=wanted.short_stop_s,
                silent_s=wanted.silent_s,
                wirings=(first,),
            )
            return await self._add(kept, actor, within)

    async def ensure(
        self,
        device_id: str,
        input: str,
        *,
        silent_s: float = SILENT_S,
    ) -> Definition | None:
        """The asset of an input that has told of something: one that comes by itself where nobody has wired it.

        It is named after its logger until somebody names it. An input whose asset was removed is not wanted, and a
        site with too many assets has no room: then None.
        """
        async with self._changing:
            known = self.by_input(device_id, input)
            if known is not None or len(self._known) >= ASSETS_MAX:
                return known
            ours = self.of_device(device_id)
            from_us = free_from(device_id, input, ours)
            if from_us is None or is_unwanted(device_id, input, ours, from_us):
                return None
            device = self._registry.known(device_id)
            first = KeptWiring(from_us=from_us, device=device_id, input=texts.input_key(input))
            name = self._vacant_name(f"{device.name[: NAME_CHARS // 2]} {input[: NAME_CHARS // 3]}")
            kept = Kept(
                id=new_id(), name=name, short_stop_s=SHORT_STOP_S, silent_s=silent_s, named=False, wirings=(first,)
            )
            return await self._add(kept, BY_ITSELF, nothing)

    async def change(
        self, asset: Definition, wanted: ChangeAsset, *, actor: str, within: Within = nothing
    ) -> Definition:
        """Another name, line or threshold; or remove it, or take it back. What is left out stays.

        Raises BadInput, or Conflict where another has the name, or the input it would take back.
        """
        async with self._changing:
            before = self._kept[asset.id]
            after = self._changed(before, wanted)
            if after == before:
                await self._db.write(within)
                return self._known[asset.id]
            giving_way = self._require_free(after) if _is_back(before, after) else []
            if _is_back(before, after):
                self._require_wirings(after)
            gone = _is_back(after, before)
            fact, body = ("asset.removed" if gone else "asset.changed"), _differences(before, after)
            return await self._save(after, fact, body, actor, within, self._since(before, after), giving_way)

    async def wire(
        self,
        asset: Definition,
        wanted: Wire,
        *,
        actor: str,
        within: Within = nothing,
        asked_us: int | None = None,
    ) -> Definition:
        """Say which input tells of it from a time on; `asked_us`: when that was asked, where the hub hears of it
        later. Raises BadInput, NotFound, or Conflict as for `add`."""
        async with self._changing:
            before = self._kept[asset.id]
            new = self._wiring(wanted, asked_us, of=before)
            after = rewired(before, new, self._when)
            if after == before:
                await self._db.write(within)
                return self._known[asset.id]
            self._require_wirings(after)
            giving_way = self._require_free(after) if before.removed_us is None else []
            body = {"device": new.device, "input": new.input, "inverted": new.inverted, **_times(new)}
            since_us = whole_ms(self._when(new.from_us, new.clock))
            return await self._save(after, "asset.wired", body, actor, within, since_us, giving_way)

    async def set_planned(
        self, rule_id: str, wanted: SetPlanned, *, actor: str, within: Within = nothing
    ) -> PlannedView:
        """As Rules has it; assets may be named by id or name. Raises NotFound too."""
        ids = [self.get(named).id for named in wanted.assets]
        wanted = msgspec.structs.replace(wanted, assets=ids)
        return await super().set_planned(rule_id, wanted, actor=actor, within=within)

    # --- inside

    def _free_name(self, name: str, of: str = "") -> str:
        name = texts.name(name)
        other = self._named(name)
        if other is not None and other.id != of:
            raise Conflict(f"There is an asset {other.name} already ({other.id}).", hint="Choose another name.")
        return name

    def _vacant_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while self._named(name) is not None:
            number += 1
            name = f"{wanted} ({number})"
        return name

    def _require_wirings(self, kept: Kept) -> None:
        """That it may be wired so often; there is always room to remove it."""
        if len(kept.wirings) > WIRINGS_MAX:
            raise Conflict(
                f"{kept.name} has been wired {WIRINGS_MAX} times already.",
                hint="Add a new asset, or put an earlier wiring right by its own `at`.",
            )

    def _require_room(self) -> None:
        if len(self._known) >= ASSETS_MAX:
            raise Conflict(f"A site has at most {ASSETS_MAX} assets, removed ones counted.")

    def _wiring(self, wanted: NewAsset | Wire, asked_us: int | None, *, of: Kept | None = None) -> KeptWiring:
        """A wiring as asked for, from then on unless `at` says otherwise. Raises BadInput, NotFound."""
        now, key, inverted = self._clock.now(), texts.input_key(wanted.input), wanted.inverted
        device_id = self._registry.get(wanted.device).id
        if wanted.at is None:
            from_us = min(asked_us, now.at_us) if asked_us is not None and now.quality.good else now.at_us
            wiring = KeptWiring(
                from_us=whole_ms(from_us), clock=unset(now), device=device_id, input=key, inverted=inverted
            )
            last_us = defined(of, self._when).wired.from_us if of else 0
            if not now.quality.good and last_us > self._when(wiring.from_us, wiring.clock):
                raise BadInput(
                    "Nothing has set the hub's clock yet, so nobody knows when now is.",
                    hint="Say since when it is wired so (`at`), or wait until the clock is set.",
                )
            return wiring
        at_us = whole_ms(moment("at", wanted.at, now.at_us))
        if now.quality.good and at_us > now.at_us + AHEAD_US:
            raise BadInput("A wiring begins now or in the past.")
        if not now.quality.good and at_us > self._latest_us() + DAY_US:
            raise BadInput(
                "Nothing has set the hub's clock yet, and that is more than a day ahead of all it knows of:"
                f" {iso(self._latest_us())}.",
                hint="Wait until the clock is set, or leave `at` out: the wiring then begins now.",
            )
        return KeptWiring(from_us=at_us, device=device_id, input=key, inverted=inverted)

    def _latest_us(self) -> int:
        """The latest time that the hub knows of. While it knows none since 2020, it has just been set up."""
        wired_us = (self._when(one.from_us, one.clock) for kept in self._kept.values() for one in kept.wirings)
        devices_us = (max(device.created_us, device.approved_us or 0) for device in self._registry.all())
        latest_us = max(self._clock.now().at_us, *wired_us, *devices_us, 0)
        return latest_us if latest_us >= SET_US else NEW_UNTIL_US

    def _changed(self, before: Kept, wanted: ChangeAsset) -> Kept:
        after = before
        if wanted.name is not None:
            name = self._free_name(wanted.name, of=before.id)
            after = msgspec.structs.replace(after, name=name, named=True)
        if wanted.line is not None:
            after = msgspec.structs.replace(after, line=texts.line(wanted.line))
        if wanted.short_stop_s is not None:
            after = msgspec.structs.replace(after, short_stop_s=wanted.short_stop_s)
        if wanted.silent_s is not None:
            after = msgspec.structs.replace(after, silent_s=wanted.silent_s)
        if wanted.removed is not None and wanted.removed is not (before.removed_us is not None):
            now = self._clock.now()
            turned = removed if wanted.removed else taken_back
            after = turned(after, now.at_us, unset(now), self._when)
        if _is_back(before, after):
            self._free_name(after.name, of=after.id)
        return after

    def _since(self, before: Kept, after: Kept) -> int:
        """From when on what follows from readings may differ."""
        if (before.short_stop_s, before.silent_s) != (after.short_stop_s, after.silent_s):
            return 0
        new = set(defined(after, self._when).asset.wirings) - set(defined(before, self._when).asset.wirings)
        return min((wiring.from_us for wiring in new), default=self._clock.now().at_us)

    def _require_free(self, kept: Kept) -> list[Kept]:
        """Those that came by themselves with an input this one is wired to; they give way. Raises Conflict where
        somebody has wired it."""
        clashes = clashing(defined(kept, self._when), self._known.values())
        for other, wiring in clashes:
            if other.named:
                device = self._registry.known(wiring.device)
                raise Conflict(
                    f"{wiring.input} of {device.name} tells of {other.name} ({other.id}) since"
                    f" {iso(wiring.from_us)}.",
                    hint=f"Wire {other.name} elsewhere first, or remove it: `outpost asset remove {other.id}`.",
                )
        return [self._kept[other.id] for other, _ in clashes]

    async def _add(self, kept: Kept, actor: str, within: Within) -> Definition:
        giving_way = self._require_free(kept)
        (first,) = kept.wirings
        body: dict[str, object] = {
            "name": kept.name,
            "line": kept.line,
            "device": first.device,
            "input": first.input,
            "inverted": first.inverted,
            **_times(first),
            "short_stop_s": kept.short_stop_s,
            "silent_s": kept.silent_s,
            "named": kept.named,
        }
        return await self._save(kept, "asset.added", body, actor, within, 0, giving_way)

    async def _save(
        self,
        kept: Kept,
        fact: str,
        body: dict[str, object],
        actor: str,
        within: Within,
        since_us: int,
        giving_way: list[Kept],
    ) -> Definition:
        now = self._clock.now()
        gone = [removed(other, now.at_us, unset(now), self._when) for other in giving_way]

        def work(tx: Transaction) -> None:
            within(tx)
            for other in gone:
                sql.save(tx, other)
                tx.fact("asset.removed", other.id, name=other.name, by=actor)
                tx.tell(AssetDefined(asset_id=other.id, since_us=whole_ms(now.at_us)))
            sql.save(tx, kept)
            tx.fact(fact, kept.id, **body, by=actor)
            tx.after(lambda: self._know(*gone, kept))
            tx.tell(AssetDefined(asset_id=kept.id, since_us=since_us))

        await self._db.write(work)
        return self._known[kept.id]


def new_id() -> str:
    """An id for a new asset."""
    return f"asset-{secrets.token_hex(4)}"


def _times(wiring: KeptWiring) -> dict[str, object]:
    return {"from_us": wiring.from_us, "clock": wiring.clock or ""}


def _differences(before: Kept, after: Kept) -> dict[str, object]:
    """What a fact tells of a change."""
    told: dict[str, object] = {
        name: getattr(after, name)
        for name in ("name", "line", "short_stop_s", "silent_s", "named")
        if getattr(after, name) != getattr(before, name)
    }
    if after.name != before.name:
        told["before"] = before.name
    if _is_back(before, after):
        told["removed"] = False
    if _is_back(after, before):
        told["name"] = after.name
    return told


def _is_back(before: Kept, after: Kept) -> bool:
    """Whether an asset that was removed is one no longer."""
    return before.removed_us is not None and after.removed_us is None
