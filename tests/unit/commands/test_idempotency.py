"""Idempotency keys, against a model: one key and one body make one command, whatever comes in between."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.errors import Rejected
from edge.hub import Hub
from edge.settings import Discovery, Disk, Serial, Settings
from tests.tools import share

SETTINGS = Settings(
    serial=Serial(scan=False), discovery=Discovery(enabled=False), disk=Disk(free_floor_mb=1, ballast_mb=1)
)
Request = tuple[str, str, str]  # who asks, under which key, for which text
requests = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from(["k1", "k2", ""]), st.sampled_from(["x", "y"])),
        min_size=1,
        max_size=4,
    ),
    max_size=8,
)


@contextlib.asynccontextmanager
async def hub_over(folder: Path) -> AsyncIterator[Hub]:
    """A hub whose database is open; nothing runs."""
    hub = Hub(folder, SETTINGS, ManualClock())
    async with hub.opened():
        yield hub


@settings(max_examples=share(6, 200), suppress_health_check=[HealthCheck.too_slow])
@given(requests)
def test_a_key_and_a_body_make_one_command(batches: list[list[Request]]) -> None:
    asyncio.run(_played(batches))


async def _played(batches: list[list[Request]]) -> None:
    made: dict[tuple[str, str], tuple[str, str]] = {}
    ids: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        device_id = ""
        for batch in batches:  # each batch at one moment, and the hub starts anew before the next
            async with hub_over(Path(folder)) as hub:
                if not device_id:
                    device, _ = await hub.registry.add("Desk", "display", "native", actor="test")
                    device_id = device.id
                answers = await asyncio.gather(*(_ask(hub, device_id, request) for request in batch))
                for (who, key, text), answer in zip(batch, answers, strict=True):
                    if not key:
                        assert answer is not None
                        assert answer not in ids
                    elif (who, key) not in made:
                        assert answer is not None
                        assert answer not in ids
                        made[who, key] = (text, answer)
                    else:
                        first_text, first_id = made[who, key]
                        assert answer == (first_id if text == first_text else None)
                    ids |= {answer} - {None}
                rows = await hub.store.hub.read("SELECT COUNT(*) FROM commands")
                assert rows[0][0] == len(ids)


async def _ask(hub: Hub, device_id: str, request: Request) -> str | None:
    """The command's id, None when the key was used for something else."""
    who, key, text = request
    device = hub.registry.known(device_id)
    try:
        accepted = await hub.commands.accept(
            device, "display_qr", {"payload": text}, actor=who, idempotency_key=key
        )
    except Rejected:
        return None
    return accepted.id
