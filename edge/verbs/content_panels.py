"""`outpost content check`, `panels`, `panel`, `receipts`: how it looks, and who shows what."""

from __future__ import annotations

import argparse
import base64
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from edge.verbs import content_turns, flags
from edge.verbs.content_bodies import tell_notes
from edge.verbs.content_kinds import KINDS
from edge.verbs.output import emit
from edge.wire.centre_content import CheckAtSite
from edge.wire.content import CheckLayout, DocumentKind

PANELS = ("device", "name", "panel", "screen", "version", "sharp", "evidence", "shown_at", "behind")
RECEIPTS = ("at", "screen", "version", "evidence", "picture")
PICTURE = re.compile(r"[0-9a-f]{64}")
SHORT = 16  # characters of a picture's id that are shown


def add_panel_verbs(acts: flags.Verbs) -> None:
    """Add the verbs below `outpost content`."""
    check = acts.add_parser("check", help="say what is wrong with a file or a draft; draw layouts and pictures")
    check.add_argument("what", help="a file of JSON or TOML, - for stdin; or a layout's or picture's id")
    check.add_argument("--kind", default="", choices=["", *KINDS], metavar="KIND", help="of the file, if not clear")
    check.add_argument("--device", default="", help="as this device would show it, with its readings")
    check.add_argument("--panel", default="", help="as this one would (tft-320x480): see `panels --kinds`")
    check.add_argument("--out", type=Path, default=None, metavar="FILE.png", help="write the picture there")
    flags.add_hub(check, site=True)
    check.set_defaults(do=check_one)
    panels = acts.add_parser("panels", help="what every panel shows, and whether that is what it should show")
    panels.add_argument("--kinds", action="store_true", help="the panels that Outpost can draw for, instead")
    flags.add_hub(panels, site=True)
    panels.set_defaults(do=list_panels)
    panel = acts.add_parser("panel", help="what one panel shows")
    panel.add_argument("device", help="its id or name")
    panel.add_argument("--out", type=Path, default=None, metavar="FILE.png", help="write what it should show there")
    flags.add_hub(panel, site=True)
    panel.set_defaults(do=show_panel)
    receipts = acts.add_parser("receipts", help="what a device showed, newest first, and by what evidence")
    receipts.add_argument("device", help="its id or name")
    flags.add_hub(receipts, site=True)
    receipts.set_defaults(do=list_receipts)


async def check_one(arguments: argparse.Namespace) -> int:
    """`outpost content check FILE|ID`: 1 where something is wrong."""
    kind, body = content_turns.kind_and_body(arguments.what, arguments.kind)
    if kind is not DocumentKind.LAYOUT:
        return await content_turns.check(arguments, kind, body)
    wanted = CheckLayout(device=arguments.device, panel=arguments.panel, **_checked(arguments.what, body))
    if arguments.site:
        wanted = CheckAtSite(**msgspec.structs.asdict(wanted), site=arguments.site)
    async with flags.hub(arguments) as client:
        client.site = ""  # it is in the body
        found = await client.send("POST", "/v1/content/check", wanted)
    if arguments.out is not None:
        arguments.out.write_bytes(base64.b64decode(found["png"]))
    if arguments.json:
        emit(found, True)
    else:
        emit({name: value for name, value in found.items() if name not in ("png", "notes")}, False)
        tell_notes(found["notes"], DocumentKind.LAYOUT)
    return 1 if any(note["level"] == "error" for note in found["notes"]) else 0


async def list_panels(arguments: argparse.Namespace) -> int:
    """`outpost content panels [--kinds]`."""
    async with flags.hub(arguments) as client:
        if arguments.kinds:
            kinds = await client.items("/v1/content/panel-kinds")
            emit(kinds, arguments.json, columns=("name", "title", "width", "height", "shades", "format"))
            return 0
        found = await client.items("/v1/content/panels")
    columns = (*PANELS, "site") if any("site" in one for one in found) else PANELS
    emit(found, arguments.json, columns=columns, empty="No device here has a panel.")
    return 0


async def show_panel(arguments: argparse.Namespace) -> int:
    """`outpost content panel DEVICE [--out FILE.png]`."""
    path = f"/v1/content/panels/{quote(arguments.device, safe='')}"
    async with flags.hub(arguments) as client:
        found = await client.get(path)
        if arguments.out is not None:
            pieces = [piece async for piece in client.stream(f"{path}/picture.png")]
            arguments.out.write_bytes(b"".join(pieces))
    emit(found, arguments.json)
    return 0


async def list_receipts(arguments: argparse.Namespace) -> int:
    """`outpost content receipts DEVICE`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/content/receipts", device=arguments.device)
    rows = found if arguments.json else [{**one, "picture": one["picture"][:SHORT]} for one in found]
    emit(rows, arguments.json, columns=RECEIPTS, empty="Nothing is known of what it showed.")
    return 0


def _checked(what: str, body: Any) -> dict[str, Any]:
    """What of it is meant: what was in a file, a picture, or a layout."""
    if body is not None:
        return {"body": body}
    return {"picture": what} if PICTURE.fullmatch(what) else {"layout": what}
