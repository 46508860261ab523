"""The command line at head office, where one name is of devices at two sites."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import cli
from tests.filled_centre import Filled
from tests.running_centre import RunningCentre


async def outpost(centre: RunningCentre, key: Path, *words: str) -> tuple[int, Any, str]:
    """Exit code, what was printed as JSON, messages."""
    where = ("--json", "--hub", centre.url, "--key-file", str(key))
    done = await asyncio.to_thread(cli.outpost, *words, *where)
    return done.code, done.json if done.out else None, done.err


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_site_is_named_by_a_flag(centre: RunningCentre, tmp_path: Path) -> None:
    filled = Filled(centre.centre.db)
    for number, slug in ((1, "pune"), (2, "delhi")):
        await filled.site(number, slug)
        await filled.device(number, f"desk-{number}", name="Desk")
    key = tmp_path / "key"
    key.write_text(centre.keys["admin"])
    code, _, err = await outpost(centre, key, "device", "show", "Desk")
    assert (code, "or --site " in err) == (1, True), err
    code, shown, err = await outpost(centre, key, "device", "show", "Desk", "--site", "pune")
    assert (code, shown["site"]) == (0, "pune"), err
    code, sent, err = await outpost(centre, key, "command", "send", "Desk", "reboot", "--site", "delhi")
    assert (code, sent["site"]) == (0, "delhi"), err
    code, listed, err = await outpost(centre, key, "command", "list", "--site", "pune")
    assert (code, listed) == (0, []), err
    code, _, err = await outpost(centre, key, "reading", "latest", "Desk", "--site", "pune")
    assert code == 0, err
