"""/v1/log: what went to and came from devices, as a technician searches it."""

from __future__ import annotations

from tests.integration.running_hub import RunningHub


async def test_the_log_is_searched_by_device_and_over_all(running_hub: RunningHub) -> None:
    first, second = await running_hub.display("Till 1"), await running_hub.display("Till 2")
    log = running_hub.hub.device_log
    log.exchange(first.id, "out", "serial", "display_qr seq 1")
    log.exchange(second.id, "in", "http", "hello", level="warning")
    every = (await running_hub.get("/v1/log", key="viewer")).body["items"]
    assert [(line["device"], line["direction"], line["channel"]) for line in every] == [
        (second.id, "in", "http"), (first.id, "out", "serial"),
    ]  # fmt: skip
    one = (await running_hub.get("/v1/devices/Till%201/log?contains=QR")).body["items"]
    assert [line["text"] for line in one] == ["display_qr seq 1"]
    for query, count in (
        ("level=warning", 1),
        ("direction=out", 1),
        ("contains=nothing", 0),
        (f"after={every[1]['id']}", 1),
    ):
        assert len((await running_hub.get(f"/v1/log?{query}")).body["items"]) == count, query
    for wrong in ("direction=up", "after=x", "cursor=-1", "contains=" + "x" * 300, "limit=0"):
        assert (await running_hub.get(f"/v1/log?{wrong}")).status == 400, wrong
    assert (await running_hub.get("/v1/devices/nobody/log")).status == 404


async def test_a_command_and_its_result_are_in_the_log_without_its_arguments(running_hub: RunningHub) -> None:
    device = await running_hub.display(profile="nic-client")
    commands = running_hub.hub.commands
    made = (await running_hub.send(device, args={"payload": "upi://canary", "caption": "Canary Lee"})).body
    begun = await commands.begin(await commands.get(made["id"]), "test")
    assert begun is not None
    await running_hub.ask("POST", f"/v1/commands/{made['id']}/resolve", {"outcome": "failed", "note": "x"})
    lines = (await running_hub.get(f"/v1/devices/{device.id}/log")).body["items"]
    assert lines[0]["direction"] == "out"
    assert made["id"] in lines[0]["text"]
    assert "anary" not in str(lines)
