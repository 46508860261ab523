"""Acting on the device page, through a real centre and a real hub: each act once, its end seen on the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.devices.model import Device
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until
from tests.integration.sync.test_commanding import Answering, display, machine
from tests.running_centre import RunningCentre
from tests.web.browser import Window
from tests.web.entering import add_person, log_in
from tests.web.visitor import Seen, Visitor, visitor

QR = "upi://pay?pa=shop@bank&am=1.00"


@pytest.fixture
async def pair(centre: RunningCentre, tmp_path: Path) -> Pair:
    """The centre with room for a hub, and a technician at a desk."""
    await add_person(centre, "tom", "technician")
    return Pair(centre, tmp_path)


@pytest.fixture
async def hub(pair: Pair) -> AsyncIterator[RunningHub]:
    """One that is enrolled and live."""
    async with pair.hub() as running:
        await pair.enrolled(running)
        yield running


async def place(pair: Pair, device: Device) -> str:
    """Where the page of a device is, as the centre itself finds it."""
    found = (await pair.centre.get(f"/v1/devices/{device.id}")).body
    return f"/sites/{found['site']}/devices/{device.id}"


async def done(somebody: Visitor, seen: Seen, words: str = "It is done.") -> Seen:
    """Look at the page that a form led to until it says so."""
    path = seen.at.removeprefix("/office")

    async def said() -> Any:
        again = await somebody.get(path)
        return again if words in again.main.one(id="did").text else None

    found: Seen = await until(said, words)
    return found


async def form(somebody: Visitor, page: str, action: str) -> dict[str, str]:
    """The fields of the form on that page that leads there."""
    main = (await somebody.get(page)).main
    return main.one("form", action=f"/office{page}{action}").fields()


async def test_a_technician_acts_on_a_display(pair: Pair, hub: RunningHub) -> None:
    device, answering = await display(pair, hub)
    page = await place(pair, device)
    async with visitor(pair.centre, "tom") as tom:
        fields = await form(tom, page, "/commands/display_qr")
        went = await tom.post(page + "/commands/display_qr", {**fields, "payload": QR, "caption": "Ann Lee"})
        seen = await done(tom, went)
        assert [order.kind for order in answering.orders] == ["display_qr"]
        assert not [private for private in ("Ann Lee", QR) if private in seen.text], "not shown again"
        assert "tom" in seen.main.one(id="history").text

        refused = await tom.post(page + "/commands/display_qr", {**fields, "once": "other", "caption": "Ann"})
        assert refused.status == 400
        assert refused.main.one(role="alert").text
        assert refused.main.one("input", name="caption")["value"] == "Ann", "what was typed is still there"

        await done(tom, await tom.send(await tom.get(page + "/commands/reboot")))
        assert [order.kind for order in answering.orders] == ["display_qr", "reboot"]

        await tom.post(page + "/agent", {"agent": "24", "name": "Asha Devi"})

        async def seated() -> bool:
            return "Asha Devi" in (await tom.get(page)).main.one(id="facts").text

        await until(seated, "she sits there")
        await tom.post(page + "/agent/end", {})

        async def empty() -> bool:
            return "nobody" in (await tom.get(page)).main.one(id="facts").text

        await until(empty, "nobody sits there")


async def test_a_vend_form_sent_twice_at_once_vends_once(pair: Pair, hub: RunningHub) -> None:
    device, answering = await machine(pair, hub)
    page = await place(pair, device)
    async with visitor(pair.centre, "tom") as tom:
        asked = await tom.get(page + "/slots/1/vend")
        assert "Cola" in asked.text
        assert "1.50 EUR" in asked.text
        first, again = await asyncio.gather(tom.send(asked), tom.send(asked))
        assert first.at == again.at
        await done(tom, first)
        late = await tom.send(asked)
        assert late.at == first.at
        assert len(answering.orders) == 1

        said = await tom.post(page + "/twin", {"key": "light", "value": "true"})
        assert said.status == 200

        async def desired() -> bool:
            twin = (await hub.get(f"/v1/devices/{device.id}/twin")).body
            return bool(twin["desired"].get("light") is True)

        await until(desired, "the hub desires it")


async def test_the_end_is_seen_in_the_browser_without_a_reload(pair: Pair, hub: RunningHub, window: Window) -> None:
    device, _ = await display(pair, hub)
    waits: asyncio.Event = asyncio.Event()

    class Slow(Answering):
        async def deliver(self, order: Any) -> Any:
            await waits.wait()
            return await super().deliver(order)

    hub.hub.dispatcher.up(device.id, Slow(), "serial test")
    posted = await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"t": 21.5}})
    assert posted.status in (200, 201), posted.body
    page = f"{pair.centre.url}/office{await place(pair, device)}"
    tab = await window.open()
    await log_in(tab, pair.centre.url, "tom")
    await tab.go(page)
    await tab.sees("21.5", "#values")
    await tab.until("document.querySelector('#plots svg.field path.line')?.getBoundingClientRect().width >= 0")
    assert await tab.run("document.querySelector('#plots svg.field').getBoundingClientRect().height") > 100
    await tab.fill("[name=payload]", QR)
    await tab.follow("form[action$='/display_qr'] button")
    await tab.run("window.stayed = true")
    assert "It is done" not in await tab.text("#did")
    waits.set()
    await tab.sees("It is done.", "#did")
    await tab.sees("done", "#history")
    assert await tab.run("window.stayed") is True, "the page was not loaded again"
    assert await tab.run("document.querySelector('#plots svg.field path.line') !== null")
