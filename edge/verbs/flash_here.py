"""A board at this machine's own port, without a hub: the same work, told to the terminal."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
from pathlib import Path

from edge.clock import SystemClock
from edge.errors import BadInput, OutpostError
from edge.links.serial_port import Lines
from edge.updates.flashing.board_files import App, app_from
from edge.updates.flashing.board_image import BoardImage, read_board_image
from edge.updates.flashing.job import Job
from edge.updates.flashing.kept_settings import KeptSettings
from edge.updates.flashing.line import Line
from edge.updates.flashing.trouble import Kind, Trouble
from edge.updates.flashing.work import Given, Work
from edge.verbs.flash_bar import FlashBar
from edge.wire.flashing import FlashState, FlashView, NewFlash

HELLO_S = 90.0


async def do_here(arguments: argparse.Namespace, wanted: NewFlash) -> FlashView:
    """All of the work; how it ended. Raises BadInput, BadFirmware for files that cannot be used."""
    image = await asyncio.to_thread(_image, getattr(arguments, "micropython", ""))
    app = await asyncio.to_thread(_app, getattr(arguments, "app", ""))
    lines = Lines(arguments.lines)
    settings = KeptSettings(_settings_folder())
    given = Given(wanted, image, app, settings, lines, arguments.by_hand)
    bar = FlashBar(quiet=arguments.json)
    job = Job("here", wanted, "here", SystemClock(), lambda: bar.show(job.view()))
    folder = await asyncio.to_thread(settings.room)
    work = Work(given, folder, job)
    try:
        await work.do()
        job.board = work.board
        if work.expects_hello:
            await _hello(job, Line(wanted.path, lines))
        job.end(FlashState.DONE)
    except OutpostError as error:
        job.board = work.board
        job.end(FlashState.FAILED, error)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, True)
        bar.end()
    return job.view()


async def _hello(job: Job, line: Line) -> None:
    job.step("Waiting for the board to say hello", 5)
    said = await line.hello(HELLO_S)
    if said is None:
        raise Trouble(
            Kind.OTHER,
            "Everything is on the board as it should be, but its program does not say hello.",
            "Tap EN (or RST). If it stays silent, `outpost firmware identify` says what answers.",
        )
    job.note(f"It is the device {said.device}.")


def _image(name: str) -> BoardImage | None:
    return read_board_image(_file(name).read_bytes()) if name else None


def _app(name: str) -> App | None:
    return app_from(_file(name)) if name else None


def _file(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise BadInput(f"There is no file {name}.", hint="Without a hub, name a file.")
    return path


def _settings_folder() -> Path:
    """Where the settings of a board are while it is made new; see KeptSettings."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "outpost" / "board-settings"
