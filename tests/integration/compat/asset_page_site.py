"""A hub with old asset loggers on its network, and people with the older pages open."""

from __future__ import annotations

from typing import Any

from edge.devices.model import Device
from tests.fakes.asset_pages import AssetPages
from tests.integration.running_hub import RunningHub, until

PASSWORD = "Passw0rd"


async def person(hub: RunningHub, name: str) -> AssetPages:
    """Somebody with an account, logged in at his pages."""
    await hub.hub.people.accounts.add(f"{name}@example.com", name, PASSWORD, actor="test")
    pages = AssetPages(hub.http, hub.url)
    await pages.log_in(f"{name}@example.com", PASSWORD)
    return pages


async def say(hub: RunningHub, path: str, **body: Any) -> None:
    """An old logger says something."""
    answer = await hub.ask("POST", path, body, key="")
    assert answer.status == 200, answer.body


async def logger(hub: RunningHub, logger_id: str) -> Device:
    """An old logger that has registered and was approved."""
    await say(hub, "/api/device/register", logger_id=logger_id, logger_name=logger_id, firmware_version="1.0")
    device = hub.hub.registry.by_alias("assets", logger_id)
    assert device is not None
    return await hub.hub.registry.approve(device, actor="tess")


async def runs(hub: RunningHub, logger_id: str, pin: int, running: bool) -> None:
    """An old logger tells of a change; the hub's time counts, since the logger has none."""
    await say(hub, "/api/asset-state", logger_id=logger_id, pin_number=pin, is_running=running)


async def shown(pages: AssetPages, state: str) -> dict[str, Any]:
    """The one asset of a person, once his dashboard shows it in this state."""
    found: list[dict[str, Any]] = []

    async def so() -> bool:
        found[:] = await pages.dashboard()
        return bool(found) and found[0]["current_state"] == state

    await until(so)
    return found[0]
