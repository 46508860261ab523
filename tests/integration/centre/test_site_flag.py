"""The command line at head office, where one name is of devices at two sites."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.filled_centre import Filled
from tests.running_centre import RunningCentre


async def outpost(centre: RunningCentre, key: Path, *words: str) -> tuple[int, Any, str]:
    """Exit code, what was printed as JSON, messages."""
    where = ("--json", "--hub", centre.url, "--key-file", str(key))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge.cli", *words, *where, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    return process.returncode or 0, msgspec.json.decode(out) if out else None, err.decode()


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
