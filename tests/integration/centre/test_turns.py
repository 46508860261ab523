"""One site that sends all it can: it is held to its share, and another's word does not wait behind it."""

from __future__ import annotations

import asyncio
import time

import pytest

from cloud.sync.turns import AT_ONCE
from edge.wire.sync import STATE_ROWS_MAX, StateRow
from tests.integration.centre.hubs import enrolled
from tests.patience import AT_ONCE_S
from tests.running_centre import RunningCentre

pytestmark = pytest.mark.both_engines


def rows(count: int) -> list[StateRow]:
    """States of so many devices."""
    return [("device", f"dev-{n}", f"dev-{n}", n + 1, 1, b'{"id":"dev","name":"x"}') for n in range(count)]


async def test_a_batch_of_states_is_bounded(centre: RunningCentre) -> None:
    hub = await enrolled(centre)
    await hub.hello()
    assert (await hub.send_states(*rows(STATE_ROWS_MAX))).status == 200
    answer = await hub.send_states(*rows(STATE_ROWS_MAX + 1))
    assert (answer.status, answer.code) == (422, "row-rejected")


async def test_one_site_does_not_hold_up_another(centre: RunningCentre) -> None:
    greedy, modest = await enrolled(centre), await enrolled(centre)
    await greedy.hello()
    await modest.hello()
    flood = [asyncio.create_task(greedy.send_states(*rows(STATE_ROWS_MAX))) for _ in range(3 * AT_ONCE)]
    await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)  # the first that were too many
    began_s = time.monotonic()
    assert (await modest.send_states(*rows(1))).status == 200
    assert time.monotonic() - began_s < AT_ONCE_S
    answers = await asyncio.gather(*flood)
    held = [answer for answer in answers if answer.status != 200]
    assert held, "some were too many at once"
    assert {(answer.status, answer.code) for answer in held} == {(429, "rate-limited")}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in held)
    assert (await greedy.send_states()).status == 200, "its share is free again"
