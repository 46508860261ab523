"""`outpost demo`: a whole site on this machine, to look at and to try."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edge.places import socket_path
from edge.verbs import flags

if TYPE_CHECKING:
    from edge.sim.site import DemoSite

LISTEN = "127.0.0.1:5000"
CENTRE_LISTEN = "127.0.0.1:8600"
ID_CHARS = 8  # of an artifact's id: its begin is enough


def add(verbs: flags.Verbs) -> None:
    """Add the verb."""
    demo = verbs.add_parser("demo", help="a hub with virtual devices and head office on this machine, to try")
    demo.add_argument("--headless", action="store_true", help="print what to try instead of opening the terminal")
    demo.add_argument("--listen", default=LISTEN, metavar="HOST:PORT", help=f"the hub's address ({LISTEN})")
    office = f"head office's address ({CENTRE_LISTEN})"
    demo.add_argument("--cloud-listen", default=CENTRE_LISTEN, metavar="HOST:PORT", help=office)
    flags.add_data_dir(demo)
    demo.set_defaults(do=run_demo)


async def run_demo(arguments: argparse.Namespace) -> int:
    """`outpost demo`: until interrupted, or until the terminal is left."""
    from edge.sim.site import demo_site  # here, so that the other verbs start without loading a hub

    folder = arguments.data_dir or Path(tempfile.mkdtemp(prefix="outpost-demo-"))
    headless = arguments.headless or not (sys.stdin.isatty() and sys.stdout.isatty())
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)  # takes the services down with it
    async with demo_site(folder, arguments.listen, arguments.cloud_listen) as site:
        sys.stdout.write(what_to_try(site, "Ctrl-C" if headless else "`q` in the terminal") + "\n")
        sys.stdout.flush()
        if headless:
            await _until_stopped()
        else:
            await _terminal(site)
    if not headless:
        again = f"make demo DEMO_ARGS='--headless --data-dir {folder}'"
        sys.stdout.write(f"The demo has ended. To try the commands above while it runs: {again}\n")
    return 0


def _outpost() -> str:
    """How this person starts `outpost`: by name where that is this one, else by its path from here."""
    mine = Path(sys.executable).with_name("outpost")
    found = shutil.which("outpost")
    if found and Path(found).resolve() == mine.resolve():
        return "outpost"
    return os.path.relpath(mine) if mine.is_relative_to(Path.cwd()) else str(mine)


def what_to_try(site: DemoSite, end: str) -> str:
    """What a newcomer reads. `end`: what ends it."""
    from edge.sim.field_site import MACHINE, SENSOR
    from edge.sim.site import PAYLOAD

    outpost = _outpost()
    return f"""
ready demo {site.url}

  A hub runs at {site.url}. On its serial port is a virtual display, on its network a sensor, a vending machine,
  a logger at three machines of a bakery and an e-paper board in the kitchen: all five run the real firmware. It
  syncs with head office, at {site.centre}.
  The display's panel is a picture: {site.panel}
  The e-paper's, too, half a minute later: {site.paper}

  1. Send a payment QR, as a web page at the desk would (agent 24 sits there):

     {site.curl()}

  2. Look at {site.panel}, or read the code on it:

     {outpost} scan {site.panel}
     (it says {PAYLOAD})

  3. Look around:

     {outpost} tui --data-dir {site.folder}
     {outpost} device list --data-dir {site.folder}
     {outpost} command list --data-dir {site.folder}

  4. Buy something; each turn of a motor is a line in {site.motors}:

     {outpost} vend {MACHINE} 2 --data-dir {site.folder}

  5. See what the sensor measures, and switch an output of it:

     {outpost} reading latest "{SENSOR}" --data-dir {site.folder}
     {outpost} twin set "{SENSOR}" v1=true --data-dir {site.folder}

{_machines(outpost, site)}

{_head_office(outpost, site)}

{_newer(outpost, site)}{_paper(outpost, site)}  {end} ends it. Everything is in {site.folder}.
"""


def _machines(outpost: str, site: DemoSite) -> str:
    from edge.sim import logger
    from edge.sim.field_site import WATCHED

    return f"""\
  6. See which machines run, and how much of the time; once one has stopped, say why:

     {outpost} asset list --data-dir {site.folder}
     {outpost} asset list --watch --data-dir {site.folder}
     {outpost} asset availability --from -10m --data-dir {site.folder}
     {outpost} asset timeline {WATCHED[0]} --from -10m --data-dir {site.folder}
     {outpost} asset reason {WATCHED[0]} cleaning --data-dir {site.folder}

     The logger has a page of its own: {logger.page(site.folder / "logger")}"""


def _head_office(outpost: str, site: DemoSite) -> str:
    from edge.sim.field_site import MACHINE
    from edge.sim.site import PERSON

    return f"""\
  7. Be head office: the centre shows the same and reaches the same devices, by its own --data-dir:

     {outpost} site list --data-dir {site.office}
     {outpost} device list --data-dir {site.office}
     {outpost} vend {MACHINE} 3 --data-dir {site.office}
     {outpost} command list --data-dir {site.office}
     {outpost} asset availability --from -10m --data-dir {site.office}

     in the browser, at {site.centre}/office/ as {PERSON}, with the password

     {site.password.read_text("utf-8").strip()}

     and how the hub sees it:

     {outpost} site status --data-dir {site.folder}"""


def _newer(outpost: str, site: DemoSite) -> str:
    from edge.sim.field_site import SENSOR

    if not site.newer:
        return ""
    start = f"firmware rollout start {site.newer[:ID_CHARS]} --kind sensor --soak 0s"
    return f"""\
  8. Update the sensor: newer firmware for it is signed and uploaded. Only the file that is new is sent, and the
     sensor keeps it once the hub has found it well:

     {outpost} {start} --data-dir {site.folder}
     {outpost} firmware rollout list --data-dir {site.folder}
     {outpost} firmware state "{SENSOR}" --data-dir {site.folder}

"""


def _paper(outpost: str, site: DemoSite) -> str:
    from edge.sim.field_site import PAPER
    from edge.sim.kitchen import LAYOUT

    return f"""\
  9. See what the kitchen's panel shows and by what evidence; change its layout in a file, publish, go back:

     {outpost} content panels --data-dir {site.folder}
     {outpost} content panel {PAPER} --out panel.png --data-dir {site.folder}
     {outpost} content show layout {LAYOUT} --body --data-dir {site.folder} > {LAYOUT}.json
     {outpost} content put layout {LAYOUT} {LAYOUT}.json --data-dir {site.folder}
     {outpost} content publish layout {LAYOUT} --data-dir {site.folder}
     {outpost} content back layout {LAYOUT} --to 1 --data-dir {site.folder}

     or in the terminal, with 0. A TRMNL, others' e-paper, joins by the id that its panel shows (trmnl.png):

     {outpost} sim trmnl --hub {site.url} --wake 10 --out trmnl.png
     {outpost} device list --data-dir {site.folder}

"""


async def _until_stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


async def _terminal(site: DemoSite) -> None:
    """The TUI as a process of its own, since it takes the whole terminal."""
    command = (sys.executable, "-m", "edge.cli", "tui", "--data-dir", str(site.folder))
    assert socket_path(site.folder).exists()
    tui = await asyncio.create_subprocess_exec(*command)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await tui.wait()
    finally:
        if tui.returncode is None:
            tui.terminate()
            await tui.wait()
