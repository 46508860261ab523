"""Desks from head office: a technician's word seats, a claim asks; what came of either is told as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cloud.accounts.member import Member
from cloud.fleet.lookup import Place, find_site
from edge.errors import DeviceUnavailable, NotSeated
from edge.serving.roles import Role
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until

CALLER = Member("key:app", Role.ADMIN, tenant_id=1)


@pytest.fixture
async def hub(pair: Pair) -> AsyncIterator[RunningHub]:
    """A hub that is enrolled and live."""
    async with pair.hub() as running:
        await pair.enrolled(running)
        yield running


async def asked(pair: Pair, kind: str, **body: Any) -> str | None:
    """What the hub says to such an item."""
    fleet = pair.centre.centre.fleet

    async def place() -> Place | None:
        async with pair.centre.centre.db.read() as connection:
            found = await find_site(connection, CALLER, "pune")
        return None if found.stale(pair.centre.centre.clock.now().at_us) else found

    where = await until(place)
    return await fleet.asking.ask(CALLER, where, kind, body, wait_s=10.0)


async def test_a_desk_that_is_held_refuses_a_claim_and_yields_to_a_technician(pair: Pair, hub: RunningHub) -> None:
    desk = await hub.display("Desk")
    hub.hub.presences.seen(desk.id, "test")
    assert await asked(pair, "claim", agent="24", name="Ann", device=desk.id) == desk.id
    with pytest.raises(NotSeated, match="held"):
        await asked(pair, "claim", agent="25", name="Bo", device=desk.id)
    with pytest.raises(NotSeated, match="no-display"):
        await asked(pair, "claim", agent="26", device="nowhere")
    assert await asked(pair, "link", agent="25", name="Bo", device=desk.id) == ""
    assert [each["agent"] for each in (await hub.get("/v1/agents")).body["items"]] == ["25"]


async def test_what_is_no_display_takes_nobody(pair: Pair, hub: RunningHub) -> None:
    machine, _ = await hub.hub.registry.add("Lobby", "vending", "native", actor="test")
    with pytest.raises(DeviceUnavailable):
        await asked(pair, "link", agent="24", name="Ann", device=machine.id)
    assert (await hub.get("/v1/agents")).body["items"] == []
