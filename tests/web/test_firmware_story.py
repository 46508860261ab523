"""Firmware in a real browser: sent with its progress on the page, started, and followed while others act on it."""

from __future__ import annotations

from pathlib import Path

from cloud.web.links import artifact_page, rollout_page
from edge.wire.updates import Step
from tests.firmware_bundles import app
from tests.running_centre import RunningCentre
from tests.web.browser import Tab, Window
from tests.web.entering import add_person, log_in
from tests.web.filled_updates import FilledUpdates

WATCH = """window.saw = []; window.stayed = true;
    new MutationObserver(() => saw.push(document.querySelector("#sending [role=status]").textContent))
        .observe(document.querySelector("#sending"), {childList: true, subtree: true, characterData: true})"""


async def send(tab: Tab, file: Path) -> None:
    """Choose a file and send it."""
    await tab.choose("[name=file]", file)
    await tab.run(WATCH)
    await tab.click("form[data-upload] button")


async def test_a_file_is_sent_and_the_page_says_how_far_it_is(
    centre: RunningCentre, window: Window, tmp_path: Path
) -> None:
    filled = FilledUpdates(centre)
    await filled.firmware()
    await add_person(centre, "tom", "technician")
    tab = await window.open(width=360, height=800)
    await log_in(tab, centre.url, "tom")
    await tab.go(f"{centre.url}/office/firmware/upload")
    unsigned, good = tmp_path / "unsigned.outpost", tmp_path / "good.outpost"
    unsigned.write_bytes(app("20261205.000000", by=[]))
    good.write_bytes(app("20261205.000000", large=b"M\x06\x00\x1f" + bytes(2_000_000)))

    await tab.fill("[name=notes]", "kept while it is refused")
    await send(tab, unsigned)
    await tab.sees("It is not signed.", "#outcome")
    assert await tab.run("window.stayed"), "the page stayed, and with it what was typed"
    assert await tab.run("document.querySelector('[name=notes]').value") == "kept while it is refused"
    assert await tab.run("document.querySelector('#sending').hidden")
    assert not await tab.run("document.querySelector('form[data-upload] button').disabled")
    saw = await tab.run("saw")
    assert any(said.startswith("100 %: 0.1 of 0.1 MB") for said in saw), saw
    assert "is being looked at" in saw[-1]

    large = tmp_path / "large.bin"
    large.write_bytes(bytes(17 * 1024 * 1024))
    await send(tab, large)
    await tab.sees("larger than", "#outcome")
    assert await tab.run("saw") == [], "it was not even sent"

    await send(tab, good)
    await tab.sees("It is in order and is held.")
    await tab.sees("It is signed by our workshop")
    assert "kept while it is refused" in await tab.text("main")
    assert window.complaints == []

    # and where no script runs
    await tab.scripts(on=False)
    await tab.go(f"{centre.url}/office/firmware/upload")
    await tab.choose("[name=file]", good)
    await tab.follow("form[data-upload] button")
    assert "was here already" in await tab.text("main")


async def test_a_rollout_is_started_and_watched(centre: RunningCentre, window: Window) -> None:
    filled = FilledUpdates(centre)
    await filled.devices()
    await filled.firmware()
    await add_person(centre, "tom", "technician")
    tab = await window.open()
    await log_in(tab, centre.url, "tom")
    await tab.go(centre.url + artifact_page(filled.artifact))
    await tab.follow(".top a.button")
    await tab.fill("[name=kind]", "sensor")
    await tab.follow("form.start > .acts button")
    await tab.sees("to 60 devices", "#preview")
    await tab.follow("#preview button")
    await tab.sees("It is on its way.")
    filled.rollout = (await tab.run("location.pathname")).rsplit("/", 1)[1]
    await tab.run("window.stayed = true")

    canary = (await centre.get(f"/v1/rollouts/{filled.rollout}/devices?limit=1")).body["items"][0]
    await filled.step(canary["site"], canary["device"], Step.ROLLED_BACK, "no hub in 90 s")
    await centre.centre.updates.worker.round(every=True)
    await tab.sees("1 of 1 devices of wave 1 went wrong; more than 5 % stops it.", "#standing")
    await tab.sees("no hub in 90 s", "#device-rows")
    assert "went back" in await tab.text("#device-rows")
    assert await tab.run("window.stayed"), "it became so without a new page"
    await tab.follow("#standing a[href$='/abort']")
    await tab.fill("[name=reason]", "It cannot reach its hub.")
    await tab.follow("main form button")
    await tab.sees("Aborted: offers are taken back.")
    other = await window.open(centre.url + rollout_page(filled.rollout))
    await other.sees("It cannot reach its hub.", "#standing")
