"""`outpost firmware flash`, `identify`, `erase`, `recover` and `factory-reset`: boards over USB
(docs/flashing.md).
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import msgspec

from edge.client import Client
from edge.errors import BadInput, ExitCode, OutpostError
from edge.verbs import flags, flash_here
from edge.verbs.flash_bar import FlashBar
from edge.verbs.output import cell, emit, say
from edge.wire.flashing import FlashState, FlashView, NewFlash, Work

PORT_COLUMNS = ("path", "owner", "state", "device", "description")
IMAGE_COLUMNS = ("id", "name", "chip", "kind", "size", "slots", "added_at")
JOB_COLUMNS = ("id", "path", "what", "state", "percent", "step", "started_by")
SHORT = 16  # characters of an id in a table; its begin is enough where it is asked for
LOOK_S = 0.4  # how often the hub is asked how far it is
PIECE = 64 * 1024
WORKS = (
    ("identify", Work.IDENTIFY, "say which chip and which program is at a port; restarts the board"),
    ("erase", Work.ERASE, "erase all of a board's flash"),
    ("recover", Work.RECOVER, "find out what is wrong with a board that does not answer, and put it right"),
    ("factory-reset", Work.FACTORY_RESET, "let a board forget its WiFi, hub and name; its app stays"),
)


def add(what: flags.Verbs) -> None:
    """Add the verbs."""
    flashing = what.add_parser("flash", help="put MicroPython and an app on a board over USB")
    _add_port(flashing)
    _add_content(flashing)
    flashing.add_argument("--erase", action="store_true", help="erase every byte first; takes longer")
    flashing.set_defaults(do=flash, work=Work.WHOLE)
    for name, work, help_text in WORKS:
        one = what.add_parser(name, help=help_text)
        _add_port(one)
        if work is Work.RECOVER:
            _add_content(one)
        if work is Work.ERASE:
            _add_forget(one)
        one.set_defaults(do=flash, work=work)
    ports = what.add_parser("ports", help="the hub's serial ports")
    flags.add_hub(ports)
    ports.set_defaults(do=list_ports)
    images = what.add_parser("images", help="the MicroPythons that the hub holds for boards over USB")
    images.add_argument("--add", type=Path, metavar="FILE", help="take one in")
    images.add_argument("--remove", metavar="ID", help="remove one")
    flags.add_hub(images)
    images.set_defaults(do=list_images)
    jobs = what.add_parser("jobs", help="what is being done at the hub's ports")
    flags.add_hub(jobs)
    jobs.set_defaults(do=list_jobs)
    cancel = what.add_parser("cancel", help="end a job at a port now; the board may need flashing again")
    cancel.add_argument("id")
    flags.add_hub(cancel)
    cancel.set_defaults(do=cancel_job)


async def flash(arguments: argparse.Namespace) -> int:
    """Do the work at the hub's port, or at this machine's, and show how far it is."""
    if bool(arguments.port) == bool(arguments.serial):
        raise BadInput("Name one port: PORT for one of the hub's, --serial PATH for one of this machine's.")
    if arguments.serial:
        view = await flash_here.do_here(arguments, _wanted(arguments, arguments.serial))
    else:
        async with flags.hub(arguments) as client:
            view = await _at_hub(client, arguments)
    return _result(arguments, view)


async def list_ports(arguments: argparse.Namespace) -> int:
    """`outpost firmware ports`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/ports")
    emit(found, arguments.json, columns=PORT_COLUMNS, empty="The hub has no serial ports. Plug a board in.")
    return 0


async def list_images(arguments: argparse.Namespace) -> int:
    """`outpost firmware images [--add FILE | --remove ID]`."""
    async with flags.hub(arguments) as client:
        if arguments.add is not None:
            await _upload(client, "/v1/board-images", arguments.add, name=arguments.add.name)
        if arguments.remove:
            await client.send("DELETE", f"/v1/board-images/{quote(arguments.remove, safe='')}")
        found = await client.items("/v1/board-images")
    if not arguments.json:
        found = [{**one, "id": one["id"][:SHORT]} for one in found]
    emit(found, arguments.json, columns=IMAGE_COLUMNS, empty="None yet: `outpost firmware images --add FILE`.")
    return 0


async def list_jobs(arguments: argparse.Namespace) -> int:
    """`outpost firmware jobs`."""
    async with flags.hub(arguments) as client:
        found = await client.items("/v1/flash")
    emit(found, arguments.json, columns=JOB_COLUMNS, empty="No jobs since the hub started.")
    return 0


async def cancel_job(arguments: argparse.Namespace) -> int:
    """`outpost firmware cancel ID`."""
    async with flags.hub(arguments) as client:
        job = await client.send("POST", f"/v1/flash/{quote(arguments.id, safe='')}/cancel")
    if arguments.json:
        emit(job, True)
    else:
        say(f"{job['id']} at {job['path']} is {job['state']}.")
    return 0


def _add_port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("port", nargs="?", default="", metavar="PORT", help="of the hub; `outpost firmware ports`")
    parser.add_argument("--serial", default="", metavar="PATH", help="of this machine, without a hub")
    parser.add_argument(
        "--by-hand", action="store_true", help="with --serial: nothing resets the board but a person"
    )
    parser.add_argument("--lines", default="keep", choices=("keep", "deassert"), help="with --serial: DTR and RTS")
    parser.add_argument("--baud", type=int, default=0, metavar="N", help="the rate to begin with")
    flags.add_hub(parser)


def _add_content(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--micropython", default="", metavar="FILE", help="a file, or an image the hub holds")
    parser.add_argument("--sha256", default="", metavar="HEX", help="what the MicroPython file has to be")
    parser.add_argument("--app", default="", metavar="APP", help="an artifact the hub holds, or a bundle file")
    _add_forget(parser)


def _add_forget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--forget-settings", action="store_true", help="do not keep its WiFi, hub and name")


def _wanted(arguments: argparse.Namespace, path: str, image: str = "", artifact: str = "") -> NewFlash:
    _check_pin(arguments)
    work: Work = arguments.work
    if work is Work.WHOLE and not arguments.micropython:
        if not arguments.app:
            raise BadInput("Flash what? Give --micropython FILE, --app APP, or both.")
        work = Work.APP
    return NewFlash(
        path=path,
        what=work,
        image=image,
        artifact=artifact,
        erase=getattr(arguments, "erase", False),
        keep_settings=not getattr(arguments, "forget_settings", False),
        baud=arguments.baud,
    )


def _check_pin(arguments: argparse.Namespace) -> None:
    """Raise BadInput when the file is not the one that was meant."""
    wanted = getattr(arguments, "sha256", "").lower()
    if not wanted:
        return
    file = Path(arguments.micropython)
    if not file.is_file():
        raise BadInput("--sha256 is of a file: name it with --micropython.")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != wanted:
        raise BadInput(f"{file} is not that file: its SHA-256 is {found}.", hint="Fetch it again, and compare.")


async def _at_hub(client: Client, arguments: argparse.Namespace) -> FlashView:
    image = await _held(client, "/v1/board-images", getattr(arguments, "micropython", ""))
    artifact = await _held(client, "/v1/artifacts", getattr(arguments, "app", ""))
    wanted = _wanted(arguments, arguments.port, image, artifact)
    made = await client.send("POST", "/v1/flash", wanted)
    bar = FlashBar(quiet=arguments.json)
    try:
        while True:
            view = msgspec.convert(await client.get(f"/v1/flash/{made['id']}"), FlashView)
            bar.show(view)
            if view.state is not FlashState.RUNNING:
                return view
            await asyncio.sleep(LOOK_S)
    except asyncio.CancelledError:
        say(f"The hub goes on with it; `outpost firmware cancel {made['id']}` ends it.")
        raise
    finally:
        bar.end()


async def _held(client: Client, where: str, name: str) -> str:
    """The id of what is meant: a file is sent to the hub first, anything else is an id there already."""
    if not name:
        return ""
    path = Path(name)
    if not await asyncio.to_thread(path.is_file):
        return name
    return await _upload(client, where, path, **({"name": path.name} if where == "/v1/board-images" else {}))


async def _upload(client: Client, where: str, path: Path, **query: str) -> str:
    size = (await asyncio.to_thread(path.stat)).st_size
    made = await client.upload(where, _pieces(path), size, **query)
    return str(made["id"])


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    opened = await asyncio.to_thread(path.open, "rb")
    with opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


def _result(arguments: argparse.Namespace, view: FlashView) -> int:
    """What was found on stdout, what went wrong on stderr."""
    said = msgspec.to_builtins(view)
    if arguments.json:
        emit(said, True)
    elif view.state is FlashState.DONE:
        _emit_board(said["board"])
    if view.state is FlashState.DONE:
        return int(ExitCode.OK)
    if view.state is FlashState.CANCELLED:
        raise OutpostError("It was cancelled.", hint="The board may have to be flashed again.")
    raise OutpostError(cell(view.reason), hint=view.hint)


def _emit_board(board: dict[str, object]) -> None:
    """The facts that are known."""
    known = {name: value for name, value in board.items() if value not in ("", 0, None)}
    if known:
        emit(known, False)
