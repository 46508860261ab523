"""`outpost site`: making and ending sites at the centre; at the hub joining one, and how syncing stands."""

from __future__ import annotations

import argparse
import sys
from typing import Any
from urllib.parse import quote

from edge.errors import BadInput
from edge.places import centre_config_file, default_centre_dir
from edge.verbs import flags
from edge.verbs.output import emit, say
from edge.wire.centre import ChangeSite, CreateSite
from edge.wire.site import DiscardLetters, EnrolSite

COLUMNS = (
    "id", "name", "state", "lag_s", "seen_at", "devices", "online", "inbox_waiting", "version", "reason",
)  # fmt: skip
LETTER_COLUMNS = ("id", "stream", "seq", "at", "why", "body")
LANE_COLUMNS = ("stream", "waiting", "complete_to", "rows_per_s", "left_s")
SOMEWHERE = "https://ADDRESS-OF-THIS-CENTRE"  # where nobody has told the centre its own


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    site = verbs.add_parser("site", help="sites at head office, and the hub that speaks for one").add_subparsers(
        required=True, metavar="WHAT"
    )
    create = site.add_parser("create", help="at head office: make a site and the code that enrols its hub")
    create.add_argument("name")
    _at_centre(create, create_site)
    _at_centre(site.add_parser("list", help="at head office: all sites, and how far behind each is"), list_sites)
    for name, doing, what in (
        ("show", show_site, "one site"),
        ("code", new_code, "a new code: the hub that enrols with it takes the site over"),
        ("clear", clear_site, "take its alert away, once somebody looked at it"),
        ("revoke", revoke_site, "refuse the site's hub from now on; what it has sent stays"),
    ):
        verb = site.add_parser(name, help=f"at head office: {what}")
        verb.add_argument("site", help="its id or name")
        _at_centre(verb, doing)
    rename = site.add_parser("rename", help="at head office: give a site another name; its id stays")
    rename.add_argument("site", help="its id or name")
    rename.add_argument("name")
    _at_centre(rename, rename_site)
    enrol = site.add_parser("enrol", help="at the hub: show head office's code, and sync from now on")
    enrol.add_argument("code", nargs="+", help="as it was read out: case, spaces and hyphens do not matter")
    enrol.add_argument("--cloud", default="", metavar="URL", help="where head office is; else the setting sync.url")
    flags.add_hub(enrol)
    enrol.set_defaults(do=enrol_site)
    for name, doing, what in (
        ("status", show_status, "how syncing stands"),
        ("letters", list_letters, "rows that head office would not take"),
        ("leave", leave_site, "send nothing to head office any more; what waits is kept"),
    ):
        verb = site.add_parser(name, help=f"at the hub: {what}")
        flags.add_hub(verb)
        verb.set_defaults(do=doing)
        if name == "letters":
            way = verb.add_mutually_exclusive_group()
            way.add_argument("--again", action="store_true", help="send them once more, as after an update there")
            way.add_argument(
                "--discard",
                nargs="+",
                metavar="ID",
                help="never send these, `all`: those listed; the ledger tells it",
            )


async def create_site(arguments: argparse.Namespace) -> int:
    """`outpost site create NAME`."""
    async with flags.centre(arguments) as client:
        made = await client.send("POST", "/v1/sites", CreateSite(name=arguments.name))
    _tell_code(made, arguments, f"The site {made['name']!r} is made; its id is {made['site']}.")
    return 0


async def list_sites(arguments: argparse.Namespace) -> int:
    """`outpost site list`."""
    async with flags.centre(arguments) as client:
        sites = await client.items("/v1/sites")
    emit(sites, arguments.json, columns=COLUMNS, empty="There are no sites. `outpost site create NAME` makes one.")
    return 0


async def show_site(arguments: argparse.Namespace) -> int:
    """`outpost site show SITE`."""
    async with flags.centre(arguments) as client:
        emit(await client.get(_path(arguments)), arguments.json)
    return 0


async def new_code(arguments: argparse.Namespace) -> int:
    """`outpost site code SITE`."""
    async with flags.centre(arguments) as client:
        made = await client.send("POST", f"{_path(arguments)}/code")
    told = f"The hub that enrols with this code speaks for {made['name']!r}; one that did before is refused then."
    _tell_code(made, arguments, told)
    return 0


async def rename_site(arguments: argparse.Namespace) -> int:
    """`outpost site rename SITE NAME`."""
    async with flags.centre(arguments) as client:
        emit(await client.send("PATCH", _path(arguments), ChangeSite(name=arguments.name)), arguments.json)
    return 0


async def clear_site(arguments: argparse.Namespace) -> int:
    """`outpost site clear SITE`."""
    async with flags.centre(arguments) as client:
        emit(await client.send("POST", f"{_path(arguments)}/clear"), arguments.json)
    return 0


async def revoke_site(arguments: argparse.Namespace) -> int:
    """`outpost site revoke SITE`."""
    async with flags.centre(arguments) as client:
        site = await client.send("POST", f"{_path(arguments)}/revoke")
    if arguments.json:
        emit(site, True)
    else:
        say(f"The hub of {site['name']!r} is refused from now on. `outpost site code {site['id']}` opens it again.")
    return 0


async def enrol_site(arguments: argparse.Namespace) -> int:
    """`outpost site enrol CODE`."""
    async with flags.hub(arguments) as client:
        wanted = EnrolSite(code=" ".join(arguments.code), url=arguments.cloud)
        status = await client.send("POST", "/v1/sync/enrol", wanted)
    if arguments.json:
        emit(status, True)
    else:
        say(f"This hub speaks for {status['name']!r} of {status['tenant']!r}, and syncs with {status['url']}.")
        say("`outpost site status` shows how far it is.")
    return 0


async def show_status(arguments: argparse.Namespace) -> int:
    """`outpost site status`."""
    async with flags.hub(arguments) as client:
        status = await client.get("/v1/sync")
    if arguments.json:
        emit(status, True)
        return 0
    if status["state"] == "off":
        say("This hub syncs with no head office. `outpost site enrol CODE --cloud URL` joins one.")
    lanes = status.pop("lanes")
    emit(status, False)
    if lanes:
        sys.stdout.write("\n")
        emit(lanes, False, columns=LANE_COLUMNS)
    return 0


async def list_letters(arguments: argparse.Namespace) -> int:
    """`outpost site letters`."""
    path = "/v1/sync/dead-letters"
    async with flags.hub(arguments) as client:
        if arguments.again:
            done = await client.send("POST", f"{path}/retry")
            say(f"Sent again and taken: {done['sent']}.")
        letters = await client.items(path)
        if arguments.discard:
            ids = _letter_ids(arguments.discard, letters)
            if ids:
                done = await client.send("POST", f"{path}/discard", DiscardLetters(ids=ids))
                say(f"Left out for good: {done['discarded']}.")
            letters = await client.items(path)
    emit(letters, arguments.json, columns=LETTER_COLUMNS, empty="There are none: head office takes everything.")
    return 0


def _letter_ids(words: list[str], letters: list[dict[str, Any]]) -> list[int]:
    """The letters meant. Raises BadInput."""
    if words == ["all"]:
        return [letter["id"] for letter in letters]
    if not all(word.isdecimal() for word in words):
        raise BadInput("A letter is named by its id.", hint="`outpost site letters` lists them; `all` means these.")
    return [int(word) for word in words]


async def leave_site(arguments: argparse.Namespace) -> int:
    """`outpost site leave`."""
    async with flags.hub(arguments) as client:
        status = await client.send("POST", "/v1/sync/leave")
    if arguments.json:
        emit(status, True)
    else:
        say("Nothing is sent to head office any more. `outpost site enrol CODE` joins again, with a new code.")
    return 0


def _at_centre(parser: argparse.ArgumentParser, doing: Any) -> None:
    flags.add_hub(parser)
    parser.set_defaults(do=doing)


def _path(arguments: argparse.Namespace) -> str:
    return f"/v1/sites/{quote(arguments.site, safe='')}"


def _tell_code(made: dict[str, Any], arguments: argparse.Namespace, told: str) -> None:
    """The code on stdout; to the person at the terminal what it is for, and the line to type at the site."""
    if arguments.json:
        emit(made, True)
        return
    say(told)
    say(f"Its code, shown this once and good for one hub until {made['expires_at']}:")
    sys.stdout.write(made["code"] + "\n")
    sys.stdout.flush()
    url = made["url"] or arguments.hub or SOMEWHERE
    say("The technician types at the hub:")
    say(f"  outpost site enrol {made['code']} --cloud {url}")
    if url == SOMEWHERE:
        file = centre_config_file(arguments.data_dir or default_centre_dir())
        say("with the address at which hubs reach this centre; a hub on this machine where it listens, as")
        say("  --cloud http://127.0.0.1:8600")
        say(f"Set it as `url` under [centre] in {file}, start the centre anew, and it stands in that line.")
