"""A logger and its hub, both whole: `outpost sim logger`, its page, and what the hub gets of it."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge.sim.field_board import CODE
from tests.e2e.network_site import Site, until

CHIP = "A0B1C2D3E4F5"
PAGE = re.compile(r"Its page: (\S+)")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path / "hub") as site:
        yield site


def contacts(folder: Path, **levels: bool) -> None:
    """The levels of its pins from now on."""
    folder.mkdir(exist_ok=True)
    new = folder / "inputs.new"
    new.write_text(json.dumps(levels))
    new.rename(folder / "inputs.json")


async def test_the_hub_gets_every_change_also_of_when_it_was_away(tmp_path: Path, site: Site) -> None:
    folder = tmp_path / "sim"
    contacts(folder, in1=False)  # it runs: a contact to ground
    sim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge.cli", "sim", "logger", "--hub", site.url),
        *("--folder", str(folder), "--chip", CHIP),
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        said = await _said(sim, CODE)
        device = await site.approve(CHIP, said[1])
        assert (await site.device(CHIP) or {})["kind"] == "logger"
        first = await until(functools.partial(states, site, device, [True]))
        assert (await site.history(device, "alive"))[0]["at"] == first[0]["at"]  # both in one record
        await site.kill()
        for low in (False, True, False):
            contacts(folder, in1=not low)
            await until(functools.partial(_shown, said.string, low))
        await site.start()
        rows = await until(functools.partial(states, site, device, [True, False, True, False]))
        assert len({row["at"] for row in rows}) == len(rows)
        status = await _status(said.string)
        assert [asset["name"] for asset in status["assets"]] == ["Press", "Lathe", "Saw", "Oven"]
    finally:
        sim.terminate()
        await sim.wait()


async def _said(sim: asyncio.subprocess.Process, wanted: re.Pattern[str]) -> re.Match[str]:
    """What it has printed by the time that it prints this."""
    assert sim.stdout is not None
    said = ""
    async with asyncio.timeout(60):
        while (found := wanted.search(said)) is None:
            said += (await sim.stdout.readline()).decode()
    return found


async def states(site: Site, device: str, wanted: list[bool]) -> list[dict[str, Any]] | None:
    """The hub's readings of the first input, repetitions left out, once they are so."""
    rows = await site.history(device, "in1")
    changed = [row for at, row in enumerate(rows) if not at or row["value"] != rows[at - 1]["value"]]
    return changed if [row["value"] for row in changed] == wanted else None


async def _shown(said: str, running: bool) -> bool:
    """Whether the logger's own page says so."""
    return bool((await _status(said))["assets"][0]["is_running"] is running)


async def _status(said: str) -> dict[str, Any]:
    found = PAGE.search(said)
    assert found is not None
    async with aiohttp.ClientSession() as http, http.get(found[1] + "status") as response:
        status: dict[str, Any] = await response.json()
        return status
