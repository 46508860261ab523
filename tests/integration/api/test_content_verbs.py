"""`outpost content` against a real hub: from a file to what is published, and back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.e2e.cli import Done, outpost
from tests.integration.running_hub import RunningHub

HALL = """
dark = true

[[elements]]
kind = "text"
box = { x = 0, y = 0, w = 100, h = 40 }
text = "Hall 1"
"""
TURNS = {"entries": [{"layout": "hall", "seconds": 30}]}


class Desk:
    """Where somebody types verbs."""

    def __init__(self, hub: RunningHub, folder: Path) -> None:
        self._hub, self._folder = hub, folder
        (folder / "key").write_text(hub.keys["technician"])

    async def verb(self, *words: str, stdin: str = "") -> Done:
        where = ("--hub", self._hub.url, "--key-file", str(self._folder / "key"))
        return await asyncio.to_thread(outpost, "content", *words, *where, stdin=stdin)

    def file(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text, "utf-8")
        return str(path)


@pytest.fixture
def desk(running_hub: RunningHub, tmp_path: Path) -> Desk:
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(running_hub, folder)


def written(body: Any) -> str:
    return msgspec.json.encode(body).decode()


async def test_from_a_file_to_what_is_published_and_back(desk: Desk) -> None:
    assert (await desk.verb("list")).out == "Nothing yet: `outpost content put layout ID FILE`.\n"
    saved = await desk.verb("put", "layout", "hall", desk.file("hall.toml", HALL), "--title", "The hall")
    assert (saved.code, saved.err) == (0, "Saved; panels show it after `outpost content publish layout hall`.\n")
    told = await desk.verb("publish", "layout", "hall", "--note", "first")
    assert (told.code, told.err) == (0, "Layout hall is published as version 1.\n")
    body = (await desk.verb("show", "layouts", "hall", "--body")).out
    other = body.replace("Hall 1", "Hall 2")
    assert (await desk.verb("put", "layout", "hall", "-", stdin=other)).code == 0
    stale = await desk.verb("put", "layout", "hall", "-", "--revision", "1", stdin=body)
    assert (stale.code, "was changed by" in stale.err) == (1, True)
    assert (await desk.verb("put", "playlist", "turns", "-", stdin=written(TURNS))).code == 0
    assert (await desk.verb("publish", "playlist", "turns")).code == 0
    assert (await desk.verb("publish", "layout", "hall", "--json")).json["version"] == 2
    shown = await desk.verb("show", "layout", "hall")
    assert ("The hall" in shown.out, "Hall 2" in shown.out) == (True, True)
    assert "Hall 1" in (await desk.verb("show", "layout", "hall", "--version", "1")).out
    assert "version 3" in (await desk.verb("back", "layout", "hall", "--to", "1")).err
    versions = (await desk.verb("versions", "layout", "hall", "--json")).json
    assert [(one["version"], one["back_to"], one["note"]) for one in versions] == [
        (3, 1, ""),
        (2, 0, ""),
        (1, 0, "first"),
    ]
    listed = (await desk.verb("list", "--kind", "playlist", "--json")).json
    assert [one["id"] for one in listed] == ["turns"]
    named = await desk.verb("remove", "layout", "hall")
    assert (named.code, "playlist turns" in named.err) == (1, True)
    assert (await desk.verb("remove", "playlist", "turns")).code == 0
    assert (await desk.verb("remove", "layout", "hall")).err == "There is no layout hall any more.\n"


async def test_what_is_wrong_with_a_file_is_said(desk: Desk) -> None:
    none = await desk.verb("put", "layout", "hall", desk.file("hall.json", "{"))
    assert (none.code, "is no JSON" in none.err) == (2, True)
    none = await desk.verb("put", "layout", "hall", desk.file("hall.toml", "a = "))
    assert (none.code, "is no TOML" in none.err) == (2, True)
    wrong = await desk.verb("put", "layout", "hall", "-", stdin='{"elements": [{"kind": "gauge"}]}')
    assert (wrong.code, wrong.err.split(".")[0]) == (
        2,
        "outpost: Element 1 (gauge): `kind` is `text`, `clock`, `date`, `value`, `chart`, `asset`, `qr`, `picture`,"
        " `source` or `shape`",
    )
    saved = await desk.verb("put", "playlist", "turns", "-", stdin=written(TURNS))
    assert (saved.code, saved.err.splitlines()[0]) == (0, "error: entry 1: The layout hall is not there.")
    checked = await desk.verb("check", desk.file("turns.json", written(TURNS)))
    assert (checked.code, checked.err.splitlines()) == (
        1,
        ["error: The layout hall is not published.", "Read as a playlist; it cannot be published so."],
    )
    plan = written({"devices": ["Door"], "rules": [{"layout": "hall", "picture": "0" * 64}]})
    checked = await desk.verb("check", "-", stdin=plan)
    assert (checked.code, "error: rule 1: A rule names one of" in checked.err) == (1, True)
    empty = await desk.verb("check", "-", "--kind", "schedule", stdin="{}")
    assert (empty.code, empty.err) == (0, "Read as a schedule; nothing is wrong with it.\n")
    other = await desk.verb("put", "layout", "hall", "-", stdin=plan)
    assert (other.code, "Is this a schedule?" in other.err) == (2, True)
    refused = await desk.verb("publish", "playlist", "turns")
    assert (refused.code, "Entry 1: The layout hall is not there." in refused.err) == (2, True)


async def test_how_it_looks_and_what_panels_show(desk: Desk, running_hub: RunningHub, tmp_path: Path) -> None:
    device = await running_hub.display("Door")
    await running_hub.hub.registry.note(device, {"panel": "eink-800x480"})
    out = tmp_path / "hall.png"
    checked = await desk.verb(
        "check", desk.file("hall.toml", HALL), "--panel", "eink-800x480", "--out", str(out), "--json"
    )
    assert (checked.code, checked.json["width"], checked.json["height"]) == (0, 800, 480), checked.err
    assert out.read_bytes().startswith(b"\x89PNG")
    assert "eink-800x480" in (await desk.verb("panels", "--kinds")).out
    assert (await desk.verb("panels")).code == 0
    assert (await desk.verb("receipts", "Door")).code == 0
    assert (await desk.verb("source", "list")).out == "No source is published.\n"
    none = await desk.verb("source", "fetch", "weather")
    assert (none.code, "outpost content publish source" in none.err) == (1, True)
    assert "latitude" in (await desk.verb("source", "presets")).out
    unknown = await desk.verb("source", "try", "-", stdin=written({"preset": "wether"}))
    assert (unknown.code, "Did you mean `weather`?" in unknown.err) == (2, True)
    joke = await desk.verb("source", "try", "-", "--json", stdin=written({"preset": "built_in_jokes"}))
    assert (joke.code, bool(joke.json["values"]["joke"])) == (0, True), joke.err
    assert (await desk.verb("panel", "nobody")).code == 1
