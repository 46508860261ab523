"""What a hub writes is at the centre: at once while the line is up, all of it and once when it was not."""

from __future__ import annotations

from tests.integration.sync.conftest import Pair, until


async def test_an_enrolled_hub_sends_everything_it_has_and_then_what_comes(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"t": 21, "on": True, "name": "x"}})
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub), "all that was there")
        view = (await hub.get("/v1/sync")).body
        assert (view["state"], view["site"], view["problem"]) == ("live", "pune", "")
        assert [lane["waiting"] for lane in view["lanes"]] == [0, 0]
        await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"t": 22.5}})
        await hub.display("Another")
        await until(lambda: pair.same(hub), "what came later")


async def test_a_fact_and_a_newest_value_are_there_by_the_live_lane(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
        await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"t": 42}})

        async def there() -> bool:
            return 42 in [one["value"] for one in (await pair.states("latest")).get(device.id, [])]

        await until(there, "the newest value")


async def test_what_was_written_without_a_line_arrives_once(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
    async with pair.hub() as hub:
        hub.hub.sync.enrolments.token, token = "wrong", hub.hub.sync.enrolments.token
        for value in range(20):
            await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"t": value}})
        hub.hub.sync.enrolments.token = token
    async with pair.hub() as hub:
        await until(lambda: pair.same(hub))


async def test_a_centre_that_has_moved_is_found_by_the_setting_and_the_token_stays(pair: Pair) -> None:
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
    moved = pair.centre.url.replace("127.0.0.1", "localhost")
    async with pair.hub(url=moved) as hub:
        await hub.display("Desk")
        await until(lambda: pair.same(hub))
        assert (await hub.get("/v1/sync")).body["url"] == moved
    async with pair.hub(url="http://192.0.2.1") as hub:  # in the clear: the one it knows stays
        assert (await hub.get("/v1/sync")).body["url"] == moved
