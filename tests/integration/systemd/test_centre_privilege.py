"""The centre needs no more than its unit leaves it: the same look at its system calls as the hub's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edge.client import connect
from tests.integration.systemd import trace as tracing
from tests.integration.systemd import units
from tests.integration.systemd.service import CENTRE, Service
from tests.postgres import shared
from tests.tools import needs_tool

UNIT = "outpost-cloud.service"
PATIENCE_S = 60.0  # everything is slower while it is traced


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tracing.Trace:
    """Of a centre that starts, answers, proves that it works, and stops."""
    return asyncio.run(_life(tmp_path_factory.mktemp("life"), on_postgresql=request.param == "postgresql"))


async def _life(folder: Path, *, on_postgresql: bool) -> tracing.Trace:
    centre = CENTRE
    if on_postgresql:
        centre = (*CENTRE, "--database", await shared().new_database())
    trace = folder / "trace"
    async with (
        Service(folder, hub=centre, wrapper=tracing.wrapper(trace), watchdog_s=5.0) as service,
        connect(service.data_dir) as client,
    ):
        await client.get("/v1/status")
        await service.told("WATCHDOG=1", within_s=PATIENCE_S)
        assert await service.stop() == 0
    return tracing.read(trace)


def test_it_makes_no_system_call_that_its_filter_refuses(trace: tracing.Trace) -> None:
    needs_tool("systemd-analyze")
    assert {"execve", "listen"} <= {name for name, _ in trace}, "the trace saw it serve"
    assert tracing.refused(trace, UNIT) == set()


def test_it_needs_no_memory_that_is_both_writable_and_executable(trace: tracing.Trace) -> None:
    assert units.settings(UNIT)["MemoryDenyWriteExecute"] == ["yes"]
    assert tracing.writable_and_executable(trace) == []


def test_it_opens_only_sockets_of_the_families_it_may(trace: tracing.Trace) -> None:
    assert tracing.families(trace) <= set(units.settings(UNIT)["RestrictAddressFamilies"][0].split())


def test_it_writes_in_its_data_directory_alone(trace: tracing.Trace) -> None:
    paths = tracing.written(trace)
    assert any(path.endswith("/data/writer.lock") for path in paths), "the trace saw it write"
    assert {path for path in paths if "/data/" not in path} <= {"/dev/null"}


def test_it_enters_no_namespace_and_sets_no_id_bits(trace: tracing.Trace) -> None:
    assert tracing.namespaces_and_id_bits(trace) == []
