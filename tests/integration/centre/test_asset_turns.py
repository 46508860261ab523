"""Whose bands are worked out when: each site has its turn, and what one keeps of its rules is little."""

from __future__ import annotations

import msgspec
import pytest

from cloud.assets import band_store, worker
from cloud.assets.definition_store import SiteKey
from cloud.assets.made import REACH_TIMES, all_made
from cloud.assets.turn import Task
from edge.assets.deriving import FOREVER_US, Wiring
from edge.assets.model import SECOND_US
from edge.wire.assets import ASSETS_MAX, EVERY_DAY, AssetRules, PlannedView
from tests.fakes.sync_hub import NOW_US
from tests.integration.centre.asset_hubs import bands_of, heard, tell, view_of, wired
from tests.integration.centre.hubs import enrolled, site_of
from tests.running_centre import RunningCentre

DAY_US = 86_400 * SECOND_US
MANY = [PlannedView(id=f"p{n}", name="n" * 80, begins="22:00", ends="06:00", days=[1]) for n in range(20)]


async def test_much_of_one_site_holds_up_none_of_the_others(
    centre: RunningCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SHARE_S", 0.0)
    working, done = centre.centre.assets.worker, list[str]()
    work = working._work

    async def noted(site: SiteKey, task: Task) -> bool:
        done.append(task.made.asset.id)
        return await work(site, task)

    monkeypatch.setattr(working, "_work", noted)
    hubs = [await enrolled(centre), await enrolled(centre)]
    async with working._turning:
        for hub, names in zip(hubs, ["abcd", "s"], strict=True):
            assert (await hub.hello()).status == 200
            heard(hub, NOW_US - 60 * SECOND_US, True)
            heard(hub, NOW_US, True)
            await tell(hub, [wired(name, Wiring(0, "log-1", "in1")) for name in names], MANY)
            assert (await hub.send_readings(1, 2)).status == 200
    await working.turn()
    assert done.index("s") < done.index("b")
    assert await bands_of(centre, hubs[0], "d")
    site = await site_of(centre, hubs[0])
    async with centre.centre.db.read() as connection:
        marks = await band_store.marks(connection, (site.tenant_id, site.id))
    assert max(len(mark.made_by) for mark in marks.values()) < 400


async def test_of_assets_that_nothing_tells_of_only_what_was_known_stays(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    assert (await hub.hello()).status == 200
    assets = [wired("known", Wiring(0, "log-1", "in1")), wired("never", Wiring(0, "log-2", "in1"))]
    heard(hub, NOW_US - 60 * SECOND_US, True)
    heard(hub, NOW_US, True)
    await tell(hub, assets)
    assert (await hub.send_readings(1, 2)).status == 200
    await centre.centre.assets.worker.turn()
    before = await bands_of(centre, hub, "known")
    gone = [("asset", one.id, "", 2, hub.at_us, b"") for one in assets]
    assert (await hub.send_states(*gone)).status == 200
    await centre.centre.assets.worker.turn()
    site = await site_of(centre, hub)
    async with centre.centre.db.read() as connection:
        marks = await band_store.marks(connection, (site.tenant_id, site.id))
    assert [(mark.asset, mark.look_us) for mark in marks.values()] == [("known", None)]
    await tell(hub, assets, version=3)
    await centre.centre.assets.worker.turn()
    assert (await bands_of(centre, hub, "known"))[: len(before)] == before


def test_a_site_has_so_many_assets_and_so_much_of_a_calendar() -> None:
    view = msgspec.json.encode(view_of(wired("a", Wiring(0, "log-1", "in1")))).decode()
    often = [
        PlannedView(id=f"p{n}", name="n", begins=f"{n // 60:02d}:{n % 60:02d}", ends="24:00", days=[*EVERY_DAY])
        for n in range(500)
    ]
    rules = msgspec.json.encode(AssetRules(timezone="UTC", planned=often)).decode()
    found = all_made(
        [("asset_rules", "rules", rules), *(("asset", str(n), view) for n in range(ASSETS_MAX + 9))], ""
    )
    assert len(found) == ASSETS_MAX
    assert len({id(made.calendar) for made in found}) == 1
    assert found[0].calendar.reach_us == REACH_TIMES // 500 * DAY_US
    assert found[0].calendar.step_us == 2 * DAY_US
    (plain,) = all_made([("asset", "a", view)], "UTC")
    assert not plain.calendar
    assert plain.calendar.reach_us == plain.calendar.step_us == FOREVER_US
