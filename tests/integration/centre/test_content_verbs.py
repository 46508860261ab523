"""`outpost content` at head office: the same verbs, and to which sites something goes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.cli import Done, outpost
from tests.running_centre import RunningCentre

HALL = '{"elements": [{"kind": "text", "box": {"x": 0, "y": 0, "w": 100, "h": 40}, "text": "Hall"}]}'


@pytest.mark.parametrize("engine", ["sqlite"])
async def test_from_a_draft_to_a_site(centre: RunningCentre, tmp_path: Path) -> None:
    await centre.ask("POST", "/v1/sites", {"name": "North"})
    key = tmp_path / "key"
    key.write_text(centre.keys["technician"])

    async def verb(*words: str, stdin: str = "") -> Done:
        where = ("--hub", centre.url, "--key-file", str(key))
        return await asyncio.to_thread(outpost, "content", *words, *where, stdin=stdin)

    saved = await verb("put", "layout", "hall", "-", "--title", "Hall", stdin=HALL)
    assert saved.code == 0, saved.err
    told = await verb("publish", "layout", "hall", "--at-site", "north")
    assert (told.code, "published as version 1" in told.err, "north" in told.out) == (0, True, True), told.err
    stands = (await verb("sites", "layout", "hall", "--json")).json
    assert [(one["site"], one["step"], one["version"]) for one in stands] == [("north", "waiting", 1)]
    assert "withdrawn" in (await verb("take-back", "layout", "hall", "north")).out
    assert (await verb("overwrite", "layout", "hall", "north")).code == 0
    assert (await verb("adopt", "layout", "hall", "north")).code == 1  # it has published nothing yet
    assert (await verb("put", "layout", "hall", "-", stdin=HALL.replace("Hall", "Door"))).code == 0
    assert "version 2" in (await verb("publish", "layout", "hall")).err
    assert "version 3" in (await verb("back", "layout", "hall", "--to", "1", "--everywhere")).err
    assert [one["version"] for one in (await verb("versions", "layout", "hall", "--json")).json] == [3, 2, 1]
    assert '"Hall"' in (await verb("show", "layout", "hall")).out
    assert "hall" in (await verb("list", "--kind", "layout")).out
    assert (await verb("panels")).code == 0
    assert (await verb("remove", "layout", "hall")).code == 0
