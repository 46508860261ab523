"""The centre starts, answers and stops, over both engines, alone and with others."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import msgspec
import pytest

from cloud.db.database import Database
from cloud.service import Centre
from cloud.settings import CloudSettings
from edge.client import connect
from edge.errors import Busy
from edge.serving.roles import Role
from tests.centre_process import CentreProcess
from tests.integration.running_hub import until
from tests.postgres import killable
from tests.running_centre import QUIET, RunningCentre, StartCentre, database_of, started

pytestmark = pytest.mark.both_engines


async def test_a_new_centre_answers(centre: RunningCentre) -> None:
    assert (await centre.get("/v1/nothing-there")).status == 404
    assert (await centre.get("/readyz", key="")).status == 200
    async with connect(centre.centre.directory) as local:
        assert local.what == "centre"
        assert await local.get("/v1/status")


async def test_a_centre_starts_again_over_what_is_there(start_centre: StartCentre) -> None:
    async with start_centre() as first:
        admin = first.keys["admin"]
    async with start_centre() as second:
        assert second.keys["admin"] == admin
        assert (await second.get("/v1/status")).status == 200


async def test_only_a_file_that_was_not_closed_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []

    async def check(_: Database) -> None:
        looked.append(tmp_path)

    monkeypatch.setattr(Database, "check", check)
    centre = CentreProcess(tmp_path)
    await centre.start()
    await centre.stop()
    async with Centre(tmp_path, CloudSettings()).opened():
        assert not looked
    await centre.start()
    await centre.kill()
    async with Centre(tmp_path, CloudSettings()).opened():
        assert looked
    async with Centre(tmp_path, CloudSettings()).opened():
        assert len(looked) == 1


async def test_two_over_one_directory_are_refused(centre: RunningCentre) -> None:
    with pytest.raises(Busy, match="already uses"):
        async with Centre(centre.centre.directory, centre.centre.settings).serving(listens=[]):
            pass


async def test_files_are_for_the_owner_alone(centre: RunningCentre) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in centre.centre.directory.iterdir()}
    assert modes.pop("cloud.sock") == 0o660
    assert set(modes.values()) == {0o600}


async def test_a_wait_ends_at_once_when_the_centre_stops(start_centre: StartCentre) -> None:
    async with start_centre() as centre:
        waiting = asyncio.create_task(centre.centre.signals.wait("inbox:1", 60))
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        assert not await waiting


async def test_the_watchdogs_probe_works_and_sees_a_task_that_ended(centre: RunningCentre) -> None:
    assert await centre.centre.probe()
    centre.centre._tasks.append(asyncio.create_task(asyncio.sleep(0)))
    await asyncio.sleep(0.01)
    assert not await centre.centre.probe()


async def test_instances_start_at_once_over_one_database_and_share_their_keys(tmp_path: Path) -> None:
    async with database_of("postgresql", made=False) as url, contextlib.AsyncExitStack() as stack:
        section = msgspec.structs.replace(QUIET.centre, database=url)
        settings: CloudSettings = msgspec.structs.replace(QUIET, centre=section)
        instances = [Centre(tmp_path / name, settings) for name in "abc"]
        await asyncio.gather(*(stack.enter_async_context(instance.opened()) for instance in instances))
        assert len(list(tmp_path.glob("*/admin.key"))) == 1


async def test_what_one_instance_changes_the_other_sees(tmp_path: Path) -> None:
    async with (
        database_of("postgresql") as url,
        started(tmp_path / "a", database=url) as one,
        started(tmp_path / "b", database=url, admin=one.keys["admin"]) as other,
    ):
        assert (await other.get("/v1/status")).status == 200
        secret = await one.add_key("late", Role.VIEWER)

        async def known() -> bool:
            return (await other.get("/v1/status", key=secret)).status == 200

        await until(known)


async def test_postgresql_may_go_and_come_back(tmp_path: Path) -> None:
    server = killable()
    async with started(tmp_path / "a", database=await server.new_database()) as centre:
        server.kill()
        assert not await _is_ready(centre, wanted=False)
        assert await centre.centre.probe(), "a new start of the centre would not bring it back"
        server.start()
        assert await _is_ready(centre, wanted=True)


async def test_a_killed_centre_serves_again_at_the_same_port(tmp_path: Path, database: str) -> None:
    centre = CentreProcess(tmp_path / "centre", database=database)
    await centre.start()
    try:
        before = centre.url
        await centre.kill()
        await centre.start()
        assert centre.url == before
        async with centre.session() as session, session.get("/v1/status") as answer:
            assert answer.status == 200
    finally:
        await centre.stop()


async def _is_ready(centre: RunningCentre, *, wanted: bool) -> bool:
    """Whether it is, as soon as it is as wanted."""

    async def so() -> bool:
        return (await centre.get("/readyz", key="")).status == (200 if wanted else 503)

    await until(so)
    return wanted
