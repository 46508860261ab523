"""What a technician did at a hub is found in head office's audit; what head office asked for is there once."""

from __future__ import annotations

from tests.integration.sync.conftest import Pair, until


async def test_head_office_sees_what_was_changed_at_a_hub(pair: Pair) -> None:
    async with pair.hub() as hub:
        await pair.enrolled(hub)
        device = await hub.display()
        renamed = await hub.ask("PATCH", f"/v1/devices/{device.id}", {"name": "Till 9"}, key="technician")
        assert renamed.status == 200, renamed.body

        async def is_known() -> bool:
            return (await pair.centre.get(f"/v1/devices/{device.id}")).status == 200

        await until(is_known)
        desired = {"desired": {"v1": True}}
        assert (await pair.centre.ask("PATCH", f"/v1/devices/{device.id}/twin", desired)).status == 200
        made = (await hub.ask("POST", "/v1/keys", {"name": "till-app", "role": "app"})).body

        async def is_there() -> bool:
            found = (await pair.centre.get("/v1/audit?where=hub&what=key")).body["items"]
            return made["id"] in {row["subject"] for row in found}

        await until(is_there)
        rows = (await pair.centre.get("/v1/audit?where=hub&site=pune")).body["items"]
        (change,) = [row for row in rows if row["what"] == "device.renamed"]
        assert (change["actor"], change["subject"]) == ("key:technician", device.id)
        assert change["detail"] == {"name": "Till 9", "before": "Desk"}
        asked = (await pair.centre.get("/v1/audit?what=twin.changed")).body["items"]
        assert [row["where"] for row in asked] == ["centre"]
        assert made["key"] not in str(rows)
