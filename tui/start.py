"""From the command line to the running app, and back to an exit code."""

from __future__ import annotations

import os

from edge.errors import ExitCode
from tui.app import OutpostApp
from tui.client import HubClient
from tui.clock import Clock
from tui.session import Session
from tui.site import Site
from tui.state_bar import BLOCKS, PLAIN

CONSOLE = "linux"  # what TERM is on the Pi's own screen


def start(target: str, key: str | None, readonly: bool) -> int:
    """Run the app until the technician leaves it."""
    clock = Clock()
    glyphs = PLAIN if os.environ.get("TERM") == CONSOLE else BLOCKS
    session = Session(HubClient(target, key, readonly=readonly), Site(clock), clock, readonly, glyphs)
    app = OutpostApp(session)
    app.run()
    if app.crash is not None:
        return int(ExitCode.FAILED)
    return int(ExitCode.OK if session.site.ever_reached else ExitCode.CANNOT_CONNECT)
