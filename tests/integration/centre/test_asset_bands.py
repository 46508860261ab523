"""Bands at the centre: made of readings as they come, they end as if everything had come at once, in order."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from edge.assets.deriving import Asset, Wiring
from edge.assets.model import ALIVE, SECOND_US, State
from edge.wire.assets import EVERY_DAY, PlannedView
from edge.wire.times import FIXED_FACT
from tests.fakes.sync_hub import NOW_US, SyncHub
from tests.integration.centre.asset_hubs import bands_of, heard, tell, wired, worked_out
from tests.integration.centre.hubs import enrolled
from tests.running_centre import RunningCentre
from tests.tools import share

MINUTE_US = 60 * SECOND_US
FROM_US = NOW_US - 3 * 24 * 60 * MINUTE_US
NIGHT = PlannedView(id="night", name="Night", begins="22:00", ends="06:00", days=[*EVERY_DAY])


async def settled(centre: RunningCentre) -> None:
    """All that is due is done."""
    await centre.centre.assets.worker.turn()


async def alike(
    centre: RunningCentre,
    hub: SyncHub,
    assets: list[Asset],
    rules: list[PlannedView] | None = None,
    began_us: dict[str, int] | None = None,
    rows: list[tuple[SyncHub, Any]] | None = None,
) -> None:
    """The bands of every asset are those that all readings make together."""
    await settled(centre)
    now_us = centre.centre.clock.now().at_us
    rows = [(hub, row) for row in hub.readings] if rows is None else rows
    for asset in assets:
        right = await worked_out(asset, rows, now_us, rules or [], began_us or {})
        assert await bands_of(centre, hub, asset.id) == right, asset


def history(hub: SyncHub, rng: random.Random, minutes: int) -> None:
    """What a logger with two inputs says for a while, its readings in a random order of arrival."""
    said: list[tuple[int, float | bool | str, str]] = []
    alive_s, at_us = 0, FROM_US
    for _ in range(minutes):
        at_us += MINUTE_US + rng.choice([0, 0, 0, rng.randint(0, 20 * MINUTE_US)])
        alive_s = rng.choice([alive_s + 60] * 20 + [1])
        said.append((at_us, float(alive_s), ALIVE))
        if rng.random() < 0.3:
            said.append(
                (at_us + rng.choice([0, 1, SECOND_US]), rng.choice([True, False]), rng.choice(["in1", "in2"]))
            )
        if rng.random() < 0.02:
            said.append((at_us, rng.choice(["UNKNOWN", "ERROR", "RUNNING"]), "in1"))
    if rng.random() < 0.7:
        rng.shuffle(said)
    for when_us, value, key in said:
        heard(hub, when_us, value, key=key)


@pytest.mark.parametrize("seed", range(share(1, 4)))
async def test_they_are_right_however_late_and_out_of_order_readings_come(centre: RunningCentre, seed: int) -> None:
    rng = random.Random(seed)
    hub = await enrolled(centre)
    assert (await hub.hello()).status == 200
    history(hub, rng, 120)
    assets = [
        wired("a", Wiring(0, "log-1", "in1")),
        wired("b", Wiring(0, "log-1", "in2", inverted=True), Wiring(FROM_US + 3600 * SECOND_US, "log-1", "in1")),
        wired("removed", Wiring(0, "log-1", "in1"), Wiring(FROM_US + 3600 * SECOND_US, "", "")),
        wired("back", Wiring(0, "log-1", "in1"), Wiring(FROM_US + 9, "", ""), Wiring(NOW_US - 9, "log-1", "in1")),
    ]
    await tell(hub, assets, [NIGHT])
    first = 1
    while first <= len(hub.readings):
        last = min(first + rng.randint(1, 40), len(hub.readings))
        assert (await hub.send_readings(first, last)).status == 200
        first = last + 1
        if rng.random() < 0.6:
            await settled(centre)
    await alike(centre, hub, assets, [NIGHT])
    changed = [
        msgspec.structs.replace(assets[0], short_stop_s=20.0, silent_s=rng.choice([180.0, 600.0])),
        wired("b", assets[1].wirings[0], Wiring(FROM_US + 5000 * SECOND_US, "log-1", "in1", inverted=True)),
    ]
    await tell(hub, changed, [], version=2)
    await alike(centre, hub, changed)


async def test_a_boot_whose_clock_is_put_right_is_moved(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    assert (await hub.hello()).status == 200
    assets = [wired("a", Wiring(0, "log-1", "in1"))]
    await tell(hub, assets)
    for minute in range(60):
        heard(hub, FROM_US + minute * MINUTE_US, minute % 7 < 4)
    for minute in range(30):
        label_us = 86_400 * SECOND_US + minute * MINUTE_US
        heard(hub, label_us, minute % 5 < 2, boot="late", mono_ms=minute * 60_000)
    assert (await hub.send_readings(1, 80)).status == 200
    await alike(centre, hub, assets, rows=[(hub, row) for row in hub.readings[:80]])
    for began_us in (FROM_US + 100 * MINUTE_US, FROM_US + 20 * MINUTE_US):
        hub.fact(FIXED_FACT, "late", boot="late", began_us=began_us, offset_us=0)
        assert (await hub.send_facts(len(hub.facts), len(hub.facts))).status == 200
        await alike(
            centre, hub, assets, began_us={"late": began_us}, rows=[(hub, row) for row in hub.readings[:80]]
        )
    assert (await hub.send_readings(81, 90)).status == 200
    await alike(centre, hub, assets, began_us={"late": FROM_US + 20 * MINUTE_US})


async def test_an_old_card_put_back_adds_what_it_has(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    assets = [wired("a", Wiring(0, "log-1", "in1"))]
    for minute in range(40):
        heard(hub, FROM_US + minute * MINUTE_US, minute % 7 < 4)
    old = hub.copied()
    for minute in range(40, 60):
        heard(hub, FROM_US + minute * MINUTE_US, minute % 5 < 2)
    await hub.catch_up()
    await tell(hub, assets)
    await alike(centre, hub, assets)
    for minute in range(38, 80):
        heard(old, FROM_US + minute * MINUTE_US + 7, minute % 3 < 2)
    await old.catch_up()
    rows = [(hub, row) for row in hub.readings] + [(old, row) for row in old.readings[40:]]
    await alike(centre, hub, assets, rows=rows)


async def test_a_sign_of_life_moves_the_mark_and_no_band(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    assert (await hub.hello()).status == 200
    now_us = centre.centre.clock.now().at_us
    assets = [wired("a", Wiring(0, "log-1", "in1")), wired("b", Wiring(0, "log-1", "in2"))]
    await tell(hub, assets)
    for key in ("in1", "in2"):
        heard(hub, now_us - 200 * SECOND_US, True, key=key)
    heard(hub, now_us - 199 * SECOND_US, 100.0, key=ALIVE)
    heard(hub, now_us - 100 * SECOND_US, 200.0, key=ALIVE)
    assert (await hub.send_readings(1, 4)).status == 200
    await alike(centre, hub, assets)
    made = centre.centre.assets.worker.made
    heard(hub, now_us - 40 * SECOND_US, 260.0, key=ALIVE)
    assert (await hub.send_readings(5, 5)).status == 200
    await alike(centre, hub, assets)
    assert centre.centre.assets.worker.made == made
    heard(hub, now_us - 30 * SECOND_US, 5.0, key=ALIVE)
    assert (await hub.send_readings(6, 6)).status == 200
    await alike(centre, hub, assets)
    assert [band.state for band in await bands_of(centre, hub, "a")] == [State.RUNNING, State.UNKNOWN]


async def test_readings_that_tell_of_no_asset_make_nothing_due(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    assert (await hub.hello()).status == 200
    await tell(hub, [wired("a", Wiring(0, "log-1", "in1"))])
    await settled(centre)
    await settled(centre)
    assert centre.centre.assets.worker.waiting == 0
    for minute in range(20):
        heard(hub, FROM_US + minute * MINUTE_US, 20.5, key="temperature")
        heard(hub, FROM_US + minute * MINUTE_US, True, device="log-2")
    assert (await hub.send_readings(1, 40)).status == 200
    await settled(centre)
    assert centre.centre.assets.worker.waiting == 0
