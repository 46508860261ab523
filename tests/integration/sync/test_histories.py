"""Databases that were put back as they were: each stream goes on under a new epoch, nothing lost, nothing twice."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cloud.db.models import Epoch, FactRow
from cloud.db.reading_models import Reading
from edge.bus import Bus
from edge.clock import SystemClock
from edge.devices.model import Device
from edge.store.backup import back_up, restore
from edge.store.ledger import facts
from edge.wire.commands import State
from tests.integration.running_hub import RunningHub
from tests.integration.sync.conftest import Pair, until


async def measure(hub: RunningHub, device: Device, *values: Any) -> None:
    """Readings, one request each."""
    for value in values:
        answer = await hub.ask("POST", f"/v1/devices/{device.id}/readings", {"values": {"t": value}})
        assert answer.status == 200, answer.body


async def facts_there(pair: Pair, hub: RunningHub) -> bool:
    """Whether every fact of the hub is there; more may be, of a history that ended."""
    own = {(fact.seq, fact.hash) for fact in await facts(hub.hub.store.hub, 0, 100_000)}
    async with pair.centre.centre.db.read() as connection:
        there = {
            (seq, bytes(digest)) for seq, digest in await connection.execute(select(FactRow.seq, FactRow.hash))
        }
    return own <= there


async def readings_there(pair: Pair, values: list[float]) -> bool:
    """Whether the centre has just these readings."""
    async with pair.centre.centre.db.read() as connection:
        found = (await connection.execute(select(Reading.num))).scalars().all()
    return sorted(found) == sorted(values)


async def epochs(pair: Pair, stream: str) -> list[int]:
    """The numbers of a stream's epochs at the centre."""
    async with pair.centre.centre.db.read() as connection:
        query = select(Epoch.epoch_no).where(Epoch.stream == stream).order_by(Epoch.epoch_no)
        return list((await connection.execute(query)).scalars().all())


def copied(folder: Path, name: str, *files: str) -> None:
    """Copy these files of a stopped hub aside."""
    (folder / name).mkdir()
    for file in files:
        shutil.copy(folder / "hub" / file, folder / name / file)


def put_back(folder: Path, name: str) -> None:
    """Put them back behind the hub's back."""
    for file in (folder / name).iterdir():
        for suffix in ("-wal", "-shm"):
            (folder / "hub" / (file.name + suffix)).unlink(missing_ok=True)
        shutil.copy(file, folder / "hub" / file.name)


async def test_files_copied_back_begin_new_epochs(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await measure(hub, device, 1, 2, 3)
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
    copied(pair.folder, "old", "hub.db", "readings.db")
    async with pair.hub() as hub:
        await hub.display("Later")
        await measure(hub, device, 4, 5)
        await until(lambda: pair.same(hub))
    put_back(pair.folder, "old")
    async with pair.hub() as hub:
        await hub.display("Another")
        await measure(hub, device, 6, 7, 8, 9)
        await until(lambda: readings_there(pair, [1, 2, 3, 4, 5, 6, 7, 8, 9]), "both histories' readings, once")
        await until(lambda: facts_there(pair, hub))
        assert "epoch.began" in [fact["kind"] for fact in await hub.facts()]
    assert len(await epochs(pair, "ledger")) == 2
    assert len(await epochs(pair, "readings")) == 2


async def test_a_command_that_waits_in_files_copied_back_is_in_doubt(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        reboot = await hub.hub.commands.accept(device, "reboot", {}, actor="test", ttl_s=120.0)
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
    copied(pair.folder, "old", "hub.db", "readings.db")
    async with pair.hub() as hub:
        await hub.hub.commands.cancel(await hub.hub.commands.get(reboot.id), "Not now.")
        await until(lambda: pair.same(hub))
    put_back(pair.folder, "old")
    async with pair.hub() as hub:

        async def doubted() -> bool:
            return (await hub.hub.commands.get(reboot.id)).state is State.IN_DOUBT

        await until(doubted)
        await until(lambda: facts_there(pair, hub))


async def test_files_from_before_the_last_epoch_begin_another(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await measure(hub, device, 1, 2)
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
    copied(pair.folder, "old", "hub.db", "readings.db")
    for values in ([3, 4], [5, 6]):
        async with pair.hub() as hub:
            await measure(hub, device, *values)
            await until(lambda: facts_there(pair, hub))
            await until(lambda values=values: readings_there(pair, list(range(1, values[-1] + 1))))  # type: ignore[misc]
        put_back(pair.folder, "old")
    async with pair.hub() as hub:
        await measure(hub, device, 7)
        await until(lambda: facts_there(pair, hub))
        await until(lambda: readings_there(pair, [1, 2, 3, 4, 5, 6, 7]))
    assert len(await epochs(pair, "readings")) == 3


async def test_a_restored_backup_goes_on_where_it_and_the_centre_part(pair: Pair) -> None:
    async with pair.hub() as hub:
        device = await hub.display("Desk")
        await measure(hub, device, 1, 2)
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
        back_up(pair.folder / "hub" / "hub.db", pair.folder / "backup.db")
        await hub.display("Later")
        await measure(hub, device, 3)
        await until(lambda: pair.same(hub))
    await restore(pair.folder / "backup.db", pair.folder / "hub", Bus(), SystemClock())
    async with pair.hub() as hub:
        await measure(hub, device, 4)
        await until(lambda: facts_there(pair, hub))
        await until(lambda: readings_there(pair, [1, 2, 3, 4]))
    assert len(await epochs(pair, "ledger")) == 2
    assert len(await epochs(pair, "readings")) == 1, "each stream stands alone"


async def test_a_backup_from_before_the_enrolment_learns_from_the_token_whose_it_is(pair: Pair) -> None:
    async with pair.hub() as hub:
        await hub.display("Desk")
        back_up(pair.folder / "hub" / "hub.db", pair.folder / "backup.db")
        await pair.enrolled(hub)
        await until(lambda: pair.same(hub))
    await restore(pair.folder / "backup.db", pair.folder / "hub", Bus(), SystemClock())
    async with pair.hub() as hub:
        await until(lambda: facts_there(pair, hub))
        assert (await hub.get("/v1/sync")).body["site"] == "pune"
