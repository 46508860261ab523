"""A hub with assets, as the centre hears it; and what their bands are by everything that it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from cloud.assets import band_store
from edge.assets.calendar import planned_spans
from edge.assets.deriving import Asset, Wiring, derive
from edge.assets.model import Band, Span
from edge.assets.planning import planned
from edge.clock import iso
from edge.wire.assets import AssetRules, PlannedView
from edge.wire.times import since
from tests.fakes.sync_hub import NTP, SyncHub
from tests.integration.centre.hubs import site_of
from tests.running_centre import RunningCentre
from tests.unit.assets.memory_bands import MemoryEvidence
from tests.unit.assets.reference import Reading

UNSET = 0
ZONE = "Europe/Berlin"


def wired(asset_id: str, *wirings: Wiring, short_stop_s: float = 300, silent_s: float = 180) -> Asset:
    """An asset."""
    return Asset(id=asset_id, short_stop_s=short_stop_s, silent_s=silent_s, wirings=wirings)


def heard(
    hub: SyncHub,
    at_us: int,
    value: float | bool | str,
    *,
    device: str = "log-1",
    key: str = "in1",
    boot: str = "",
    mono_ms: int = 0,
) -> None:
    """A reading of that time; of a boot whose clock was not set, where one is named."""
    series = hub.series.setdefault((device, key), len(hub.series) + 1)
    kind = 2 if isinstance(value, str) else int(isinstance(value, bool))
    plain = value if isinstance(value, str) else float(value)
    number = -hub.boots.setdefault(boot, len(hub.boots) + 1) if boot else -1
    quality = UNSET if boot else NTP
    row: Any = (len(hub.readings) + 1, series, at_us, plain, kind, quality, 0, number, mono_ms)
    hub.readings.append(row)


async def tell(hub: SyncHub, assets: Iterable[Asset], rules: Sequence[PlannedView] = (), version: int = 1) -> None:
    """Tell the centre what assets there are, and when they need not run."""
    rows: list[Any] = [("asset_rules", "rules", "", version, hub.at_us, _rules(rules))]
    rows += [
        ("asset", one.id, one.wirings[-1].device, version, hub.at_us, msgspec.json.encode(view_of(one)))
        for one in assets
    ]
    answer = await hub.send_states(*rows)
    assert answer.status == 200, answer


def view_of(one: Asset, **more: Any) -> dict[str, Any]:
    """An asset as its hub tells of it."""
    last = one.wirings[-1]
    return {
        "id": one.id,
        "name": f"Press {one.id}",
        "line": "A",
        "device": last.device,
        "input": last.input,
        "inverted": last.inverted,
        "short_stop_s": one.short_stop_s,
        "silent_s": one.silent_s,
        "state": "running",
        "since": iso(1_000_000),
        "evidence_at": iso(1_000_000),
        "age_s": None,
        "stop": None,
        "reason": "",
        "wirings": [
            {"at": iso(each.from_us), "device": each.device, "input": each.input, "inverted": each.inverted}
            for each in one.wirings
        ],
        **more,
    }


async def bands_of(centre: RunningCentre, hub: SyncHub, asset_id: str) -> list[Band]:
    """What the centre has."""
    site = await site_of(centre, hub)
    async with centre.centre.db.read() as connection:
        marks = await band_store.marks(connection, (site.tenant_id, site.id))
        if asset_id not in marks:
            return []
        return await band_store.all_bands(connection, (site.tenant_id, site.id), marks[asset_id].number)


async def worked_out(
    asset: Asset,
    readings: Iterable[tuple[SyncHub, Any]],
    now_us: int,
    rules: Sequence[PlannedView] = (),
    began_us: Mapping[str, int] | None = None,
) -> list[Band]:
    """What they should be by these rows of hubs, in order of arrival, at one stroke."""
    evidence = MemoryEvidence()
    for hub, (_, series, at_us, value, kind, quality, _, boot, mono_ms) in readings:
        ((device, key),) = (name for name, number in hub.series.items() if number == series)
        boot_id = next((boot_id for boot_id, number in hub.boots.items() if number == -boot), "")
        if quality == UNSET and began_us and boot_id in began_us:
            at_us = since(began_us[boot_id], mono_ms)
        evidence.readings.append(Reading(device, key, at_us, bool(value) if kind == 1 else value))

    def calendar(span: Span) -> list[Span]:
        first_us = min((one.at_us for one in evidence.readings), default=span[1])
        return planned_spans(planned(rules), asset.id, ZoneInfo(ZONE), (max(span[0], first_us), span[1]))

    async def nothing(at_us: int) -> None:
        return None

    return (await derive(asset, (0, now_us), evidence, nothing, calendar)).bands


def _rules(rules: Sequence[PlannedView]) -> bytes:
    return msgspec.json.encode(AssetRules(timezone=ZONE, planned=list(rules)))
