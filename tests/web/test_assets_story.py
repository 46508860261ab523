"""A machine at a real site, watched from head office's pages in a real browser: added, seen to stop, explained."""

from __future__ import annotations

from pathlib import Path

from tests.integration.sync.conftest import Pair
from tests.running_centre import RunningCentre
from tests.web.browser import Window
from tests.web.entering import add_person, log_in


async def test_a_machine_is_added_stops_and_is_given_its_reason(
    centre: RunningCentre, window: Window, tmp_path: Path
) -> None:
    pair = Pair(centre, tmp_path)
    await add_person(centre, "tom", "technician")
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        logger, _ = await hub.hub.registry.add("Hall", "sensor", "native", actor="test")
        tab = await window.open()
        await log_in(tab, centre.url, "tom")
        await tab.go(f"{centre.url}/office/sites/pune/rules")
        await tab.fill("#reasons [name=name]", "Belt torn")
        await tab.follow("#reasons details form button")
        await tab.sees("Belt torn", "#reasons table")

        # added on a page, it is there once its hub has confirmed
        await tab.go(f"{centre.url}/office/sites/pune/devices/{logger.id}")
        await tab.sees("Hall", "h1")
        await tab.go(f"{centre.url}/office/sites/pune/availability")
        for name, text in (("name", "Press"), ("device", logger.id), ("input", "in1")):
            await tab.fill(f"details [name={name}]", text)
        await tab.follow("details form[action$=assets] button")
        assert "away" not in await tab.text("main [role=status]")
        await tab.until("document.querySelector('#timeline .state')", "it is listed")

        # the page follows it
        await tab.run("window.sameDocument = true")
        ingest = hub.hub.telemetry.telemetry.ingest
        await ingest(logger, {"in1": True}, at_us=hub.hub.clock.now().at_us)
        await tab.until("document.querySelector('#timeline .state.running')", "it runs")
        await ingest(logger, {"in1": False}, at_us=hub.hub.clock.now().at_us)
        await tab.until("document.querySelector('#timeline .state.stopped')", "it stands")
        await tab.sees("still stopped", "#stops")
        assert await tab.run("window.sameDocument")
        site = await window.open()
        await site.send_with(Authorization=f"Bearer {centre.keys['viewer']}")
        await site.go(f"{centre.url}/office/sites/pune")
        await site.sees("Press stopped", "#assets")

        # why it stands is said in its row, and stands there once its hub has confirmed
        await tab.fill("#stops select", "belt-torn")
        await tab.fill("#stops [name=note]", "spare ordered")
        await tab.follow("#stops form button")
        await tab.sees("spare ordered", "#stops tbody")
        await tab.sees("Belt torn", "#pareto")
        said = [fact["body"] for fact in await hub.facts() if fact["kind"] == "asset.explained"]
        assert [(each["reason"], each["by"]) for each in said] == [("belt-torn", "centre:user:tom")]
