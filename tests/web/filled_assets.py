"""Assets in a centre's database as hubs tell of them, with bands as they are made of readings, and reasons."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import insert

from cloud.analytics.rollups import zone_named
from cloud.assets import band_store
from cloud.assets.band_store import Mark
from cloud.db.asset_models import AssetExplanation
from edge.assets.calendar import planned_spans
from edge.assets.model import SECOND_US, Band, Segment, State, bands
from edge.assets.planning import planned
from edge.clock import iso
from edge.wire.assets import AssetRules, AssetView, PlannedView, ReasonView, ShiftView, WiringView
from tests.filled_centre import HOUR_US, Filled

DAY_US = 24 * HOUR_US
SILENT_S, SHORT_S = 180.0, 300.0
WORKDAYS = [1, 2, 3, 4, 5]
REASONS = [
    ReasonView(id="no-material", name="No material"),
    ReasonView(id="tool", name="Tool change"),
    ReasonView(id="breakdown", name="Breakdown"),
    ReasonView(id="gone", name="Not said any more", retired=True),
]
SHIFTS = [
    ShiftView(id="early", name="Early", begins="06:00", ends="14:00", days=WORKDAYS),
    ShiftView(id="late", name="Late", begins="14:00", ends="22:00", days=WORKDAYS),
]
NIGHT = PlannedView(id="night", name="Night", begins="22:00", ends="06:00", days=[1, 2, 3, 4, 5, 6, 7])


class FilledAssets:
    """Writes the assets of one site, by its number; `zone`: its time zone."""

    def __init__(self, filled: Filled, site: int, zone: str, now_us: int) -> None:
        self._filled, self._site, self.zone, self.now_us = filled, site, zone, now_us
        self._said = 0

    async def rules(
        self,
        reasons: Sequence[ReasonView] = REASONS,
        shifts: Sequence[ShiftView] = SHIFTS,
        planned: Sequence[PlannedView] = (),
    ) -> None:
        """What holds for all of them."""
        told = AssetRules(timezone=self.zone, reasons=[*reasons], shifts=[*shifts], planned=[*planned])
        await self._filled.state(self._site, "asset_rules", "rules", told, at_us=self.now_us)

    async def asset(
        self,
        asset_id: str,
        raw: Sequence[tuple[int, State]],
        *,
        rules: Sequence[PlannedView] = (),
        **more: Any,
    ) -> list[Band]:
        """An asset that was in these raw states from these times on, in order."""
        segments = [Segment(at_us, state, number == 0) for number, (at_us, state) in enumerate(raw)]
        within = (raw[0][0], self.now_us)
        plan = planned_spans(planned(rules), asset_id, zone_named(self.zone), within)
        made = list(bands(None, segments, plan, round(SHORT_S * SECOND_US), (0, self.now_us)))
        last = made[-1]
        view = AssetView(
            **{
                "id": asset_id, "name": asset_id.title(), "line": "", "device": "logger", "input": "in1",
                "inverted": False, "short_stop_s": SHORT_S, "silent_s": SILENT_S, "state": last.state.word,
                "since": iso(last.at_us), "evidence_at": iso(self.now_us), "age_s": 1.0,
                "stop": str(last.began_us) if last.began_us and not last.ends_stop else None, "reason": "",
                "wirings": [WiringView(at=iso(0), device="logger", input="in1")], **more,
            }
        )  # fmt: skip
        await self._filled.state(self._site, "asset", asset_id, view, device=view.device, at_us=self.now_us)
        site = (1, self._site)
        async with self._filled.db.write() as connection:
            (number,) = await self._filled.db.numbers(connection, "asset", 1)
            mark = Mark(asset=asset_id, number=number, upto_us=self.now_us, evidence_us=self.now_us, raw=last.raw)
            await band_store.add_mark(connection, site, mark)
            await band_store.replace(connection, site, number, 0, made)
        return made

    async def said(
        self, asset_id: str, from_us: int, to_us: int, reason: str, name: str, note: str = "", by: str = "user:tom"
    ) -> None:
        """Somebody gave the stops of that time a reason."""
        self._said += 1
        row = {
            "tenant_id": 1, "site_id": self._site, "number": self._said, "asset": asset_id, "from_us": from_us,
            "to_us": to_us, "boot_id": "", "mono_ms": 0, "reason": reason, "reason_name": name, "note": note,
            "actor": by, "said_us": to_us, "said_quality": "ntp", "said_boot_id": "", "said_mono_ms": 0,
        }  # fmt: skip
        async with self._filled.db.write() as connection:
            await connection.execute(insert(AssetExplanation), [msgspec.to_builtins(row)])


def worked(rng: random.Random, zone: str, begin_us: int, now_us: int) -> list[tuple[int, State]]:
    """What a machine did: it stops as machines do, stands at night, and is now and then unseen."""
    runs_h, stands_h = rng.choice([0.4, 1, 3, 8, 20]), rng.choice([0.05, 0.2, 0.7, 2])
    found: list[tuple[int, State]] = []
    at_us, state = begin_us, State.RUNNING
    while at_us < now_us:
        if not found or found[-1][1] is not state:
            found.append((at_us, state))
        mean_h = runs_h if state is State.RUNNING else stands_h
        at_us += round(rng.expovariate(1 / mean_h) * HOUR_US) + 5 * SECOND_US
        local = datetime.fromtimestamp(at_us // SECOND_US, ZoneInfo(zone))
        if state is State.RUNNING:
            state = State.UNKNOWN if rng.random() < 0.03 else State.STOPPED
        elif 6 <= local.hour < 22 and local.isoweekday() in WORKDAYS:
            state = State.RUNNING
        else:
            at_us += round(rng.random() * 3 * HOUR_US)
            state = State.STOPPED
    return found
