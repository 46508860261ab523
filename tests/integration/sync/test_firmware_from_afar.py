"""Head office rolls firmware out over real hubs: fetched once for a site whatever becomes of the line, offered to
its devices, judged over all sites."""

from __future__ import annotations

from typing import Any

from edge.devices.model import Device
from edge.wire.native import Running
from edge.wire.updates import Step, Told
from tests.fakes.cut_line import CutLine
from tests.fakes.esp_image import image
from tests.firmware_bundles import MPY, app
from tests.firmware_keys import PUBLIC
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until

BALLAST = bytes(number * 31 % 251 for number in range(700_000))
APP = app(ballast=MPY + BALLAST)


async def trust(where: Any, name: str = "first") -> None:
    """A hub, or the centre, trusts one of the keys of the tests."""
    made = await where.ask("POST", "/v1/firmware-keys", {"name": f"the {name}", "pem": PUBLIC[name].pem})
    assert made.status == 201, made.body


async def sensors(hub: RunningHub, *names: str) -> list[Device]:
    """Devices that may be updated."""
    return [(await hub.hub.registry.add(name, "sensor", "native", actor="test"))[0] for name in names]


async def says(hub: RunningHub, device: Device, step: Step, reason: str = "") -> None:
    """A device tells how far it is with what it is offered."""
    offers = hub.hub.rollouts.offers
    offer = offers.for_device(device.id)
    assert offer is not None
    told = Told(artifact=offer.artifact, step=step, attempt=offer.attempt, size=offer.size, reason=reason)
    await offers.tell(device.id, told)


async def offered(hub: RunningHub, *devices: Device) -> list[Device]:
    """Which of these are offered something."""
    return [device for device in devices if hub.hub.rollouts.offers.for_device(device.id) is not None]


async def upload(pair: Pair, data: bytes, target: str = "") -> str:
    """Firmware at head office; its id."""
    path = f"/v1/artifacts?target={target}" if target else "/v1/artifacts"
    made = await pair.centre.ask("POST", path, data=data, key="technician")
    assert made.status == 201, made.body
    return str(made.body["id"])


async def start(pair: Pair, artifact: str, **plan: Any) -> str:
    """A rollout to all sensors; its id."""
    told = {"waves": [100], "soak_s": 0, "errors_percent": 20, "success_percent": 80, **plan}
    wanted = {"artifact": artifact, "target": {"kind": "sensor"}, "plan": told}
    made = await pair.centre.ask("POST", "/v1/rollouts", wanted, key="technician")
    assert made.status == 201, made.body
    return str(made.body["id"])


async def shown(pair: Pair, rollout: str) -> dict[str, Any]:
    """How it stands at head office."""
    return dict((await pair.centre.get(f"/v1/rollouts/{rollout}")).body)


async def known(pair: Pair, count: int) -> None:
    """Head office knows of so many devices."""

    async def are() -> bool:
        return len(await pair.states("device")) == count

    await until(are, "devices are known")


async def test_waves_over_two_sites_with_the_line_cut_while_one_of_them_fetches(pair: Pair) -> None:
    await trust(pair.centre)
    async with CutLine(pair.centre.port) as line, pair.hub(url=line.url) as one, pair.hub(folder="two") as two:
        for hub, name in ((one, "Pune"), (two, "Lyon")):
            await trust(hub)
            await pair.enrolled(hub, name)
        mine = {one: await sensors(one, "A1", "A2", "A3", "A4"), two: await sensors(two, "B1", "B2")}
        await known(pair, 6)
        artifact = await upload(pair, APP)
        line.cut_after(400_000)
        rollout = await start(pair, artifact, waves=[50, 100])

        async def is_cut() -> bool:
            return line.cuts == 1

        await until(is_cut, "the line is cut in the middle of the file")
        assert await offered(one, *mine[one]) == []
        began = one.hub.sync.artifacts.bytes_fetched
        assert 0 < began < len(APP)
        line.restore()

        async def first_wave() -> list[tuple[RunningHub, Device]]:
            found = [(hub, device) for hub in (one, two) for device in await offered(hub, *mine[hub])]
            return found if len(found) == 3 else []

        for hub, device in await until(first_wave, "the first wave is offered"):
            await says(hub, device, Step.DOWNLOADING)
            await says(hub, device, Step.TESTING)
            await says(hub, device, Step.CONFIRMED)
        for hub, device in await until(first_wave, "the second wave is offered"):
            await says(hub, device, Step.CONFIRMED)

        async def is_done() -> bool:
            view = await shown(pair, rollout)
            return (view["state"], view["steps"]) == ("done", {"confirmed": 6})

        await until(is_done, "head office knows that all is done")
        size = (await pair.centre.get(f"/v1/artifacts/{artifact}")).body["size"]
        for hub in (one, two):
            assert hub.hub.sync.artifacts.bytes_fetched <= size + 64 * 1024, "once, and on from the cut"
            (there,) = (await hub.get("/v1/rollouts")).body["items"]
            assert (there["id"], there["origin"], there["state"]) == (rollout, "centre", "done")
            (held,) = (await hub.get("/v1/artifacts")).body["items"]
            assert (held["id"], held["created_by"][:7]) == (artifact, "centre:")
        assert (await pair.centre.get("/v1/firmware/summary")).body["success_rate"] == 1.0

        # what a device says that it runs is known at head office, and is offered no more
        device = mine[one][0]
        await one.hub.rollouts.offers.runs(device.id, Running(app=artifact, version="20261121.185500"))
        await one.hub.rollouts.offers.set_legacy(device, legacy=True, actor="test")

        async def runs() -> bool:
            body = (await pair.centre.get(f"/v1/devices/{device.id}/firmware")).body
            return bool((body["app"], body["version"]) == (artifact, "20261121.185500"))

        await one.hub.registry.rename(device, "A1 new", actor="test")
        await until(runs, "head office knows what a device runs")


async def test_a_hub_takes_only_what_somebody_signed_whom_it_trusts(pair: Pair) -> None:
    """A centre that was taken over cannot bring anything to a site; the threshold counts that over all sites."""
    for name in ("first", "second"):
        await trust(pair.centre, name)
    async with pair.hub() as one, pair.hub(folder="two") as two:
        for hub, name in ((one, "Pune"), (two, "Lyon")):
            await trust(hub)
            await pair.enrolled(hub, name)
        here, there = await sensors(one, "A1"), await sensors(two, "B1")
        await known(pair, 2)
        alien = await upload(pair, app("20261123.000000", by=["second"], keys=["second"]))
        rollout = await start(pair, alien, errors_percent=50, success_percent=50)

        async def stopped() -> dict[str, Any]:
            view = await shown(pair, rollout)
            return view if view["state"] == "paused" and view["steps"] == {"failed": 2} else {}

        view = await until(stopped, "both hubs refuse it")
        assert all(PUBLIC["second"].id in site["problem"] for site in view["sites"])
        assert one.hub.sync.artifacts.bytes_fetched == 0, "not a byte of its files"
        facts = [fact for fact in await one.facts() if fact["kind"] == "firmware.unfetched"]
        assert [fact["subject"] for fact in facts] == [alien]

        # nor what nobody signed at all, until whoever answers for the site allows it
        old = await upload(pair, image(), target="sensor")
        unsigned = await start(pair, old, errors_percent=50, success_percent=50)

        async def refused() -> list[str]:
            view = await shown(pair, unsigned)
            return [site["problem"] for site in view["sites"]] if view["steps"] == {"failed": 2} else []

        problems = await until(refused, "both hubs refuse it")
        assert set(problems) == {"This hub takes no unsigned firmware from head office."}

        # one of them trusts that key by now: tried again, its device gets it
        await trust(one, "second")
        again = await pair.centre.ask("POST", f"/v1/rollouts/{rollout}/retry", {"devices": ["A1"]})
        assert again.status == 200, again.body

        async def is_offered() -> bool:
            return bool(await offered(one, *here))

        await until(is_offered, "the device is offered it")
        assert await offered(two, *there) == []
        aborted = await pair.centre.ask("POST", f"/v1/rollouts/{rollout}/abort")
        assert aborted.body["state"] == "aborted"

        async def taken_back() -> bool:
            return not await offered(one, *here) and (await shown(pair, rollout))["steps"] == {
                "withdrawn": 1,
                "failed": 1,
            }

        await until(taken_back, "it is taken back")
