"""The hub's jobs at its serial ports: one a port, each with the port lent to it, told as it goes, ended for sure.

A job lives in this process: when the hub stops or is killed, so do esptool and mpremote (`tied.py`), and the port
is the hub's again at the next start. What a job did to a board is in the ledger, its begin too, so one that was
cut off is seen there. What came of it is told again to whoever asks, until the hub stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from edge.bus import Bus
from edge.clock import Clock
from edge.errors import BadInput, Busy, Conflict, NotFound, OutpostError
from edge.links.serial_port import Lines
from edge.links.spec import PortSpec
from edge.store.database import Database
from edge.updates.flashing.board_files import Apps
from edge.updates.flashing.board_images import BoardImages
from edge.updates.flashing.events import FlashChanged
from edge.updates.flashing.job import Job
from edge.updates.flashing.kept_settings import KeptSettings
from edge.updates.flashing.trouble import Kind, Trouble
from edge.updates.flashing.work import Given, Work
from edge.wire.flashing import FlashState, FlashView, NewFlash
from edge.wire.flashing import Work as What
from edge.wire.views import PortView

log = logging.getLogger(__name__)

KEPT_JOBS = 50
HELLO_S = 90.0  # an app that hangs is taken back by its own watchdog before
LOOK_S = 0.25
FACTS = {
    What.WHOLE: "board.flashed",
    What.APP: "board.flashed",
    What.RECOVER: "board.recovered",
    What.ERASE: "board.erased",
    What.FACTORY_RESET: "board.reset",
}
"""Kinds of fact in the ledger; looking at a board is none."""
NEEDS_IMAGE = frozenset({What.WHOLE})
NEEDS_APP = frozenset({What.APP})


class Ports(Protocol):
    """Who owns the serial ports."""

    def lent(self, path: str, to: str) -> AbstractAsyncContextManager[PortSpec]:
        """A port, for a while. Raises NotFound, Busy."""

    def views(self) -> Sequence[PortView]:
        """Every port as it is now."""


class FlashJobs:
    """`by_hand`: ports at which a person presses the buttons. `run` it in a task; jobs end with it."""

    def __init__(
        self,
        ports: Ports,
        apps: Apps,
        images: BoardImages,
        settings: KeptSettings,
        database: Database,
        bus: Bus,
        clock: Clock,
        *,
        lines: Lines = Lines.KEEP,
        by_hand: Sequence[str] = (),
    ) -> None:
        self._ports, self._apps, self._images, self._settings = ports, apps, images, settings
        self._db, self._bus, self._clock = database, bus, clock
        self._lines, self._by_hand = lines, frozenset(by_hand)
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    def all(self) -> list[FlashView]:
        """The newest first."""
        return [job.view() for job in reversed(self._jobs.values())]

    def get(self, job: str) -> FlashView:
        """One. Raises NotFound."""
        return self._job(job).view()

    async def start(self, wanted: NewFlash, *, actor: str) -> FlashView:
        """Begin a job. Raises NotFound, BadInput, BadFirmware, Busy where the port has one already."""
        if self._group is None:
            raise Conflict("The hub is stopping.", hint="Try again when it runs.")
        if not any(view.path == wanted.path for view in self._ports.views()):
            raise NotFound(f"there is no serial port {wanted.path}", hint="`outpost firmware ports` lists them.")
        if wanted.what in NEEDS_IMAGE and not wanted.image:
            raise BadInput("Which MicroPython? Name a board image.", hint="`outpost firmware images` lists them.")
        if wanted.what in NEEDS_APP and not wanted.artifact:
            raise BadInput("Which app? Name an artifact.", hint="`outpost firmware list` shows them.")
        image = await self._images.read(wanted.image) if wanted.image else None
        app = await self._apps.app(wanted.artifact) if wanted.artifact else None
        busy = next(
            (job for job in self._jobs.values() if job.wanted.path == wanted.path and self._runs(job)), None
        )
        if busy is not None:
            raise Busy(
                f"{wanted.path} has a job already: {busy.wanted.what.value}, by {busy.actor}.",
                hint="Wait for its end, or cancel it: `outpost firmware cancel ID`.",
            )
        job = self._new(wanted, actor)
        given = Given(wanted, image, app, self._settings, self._lines, wanted.path in self._by_hand)
        if self._group is None:
            raise Conflict("The hub is stopping.", hint="Try again when it runs.")
        self._tasks[job.id] = self._group.create_task(self._do(job, given), name=f"flash {wanted.path}")
        return job.view()

    async def cancel(self, job: str) -> FlashView:
        """End it now, whatever it does; its tool is killed, the port is the hub's again. Raises NotFound,
        Conflict."""
        found = self._job(job)
        task = self._tasks.get(found.id)
        if task is None:
            raise Conflict("That job has ended.")
        task.cancel()
        await asyncio.wait({task})
        return found.view()

    def _new(self, wanted: NewFlash, actor: str) -> Job:
        id = secrets.token_hex(6)
        job = Job(id, wanted, actor, self._clock, lambda: self._bus.publish(FlashChanged(job_id=id)))
        self._jobs[id] = job
        for old in [one for one in self._jobs.values() if not self._runs(one)][
            : max(0, len(self._jobs) - KEPT_JOBS)
        ]:
            del self._jobs[old.id]
        return job

    def _runs(self, job: Job) -> bool:
        return job.state is FlashState.RUNNING

    def _job(self, id: str) -> Job:
        job = self._jobs.get(id)
        if job is None:
            raise NotFound(
                f"There is no job {id[:32]!r}; jobs are forgotten when the hub stops.",
                hint="`outpost log` and the ledger tell what was done to which board.",
            )
        return job

    # -- one job

    async def _do(self, job: Job, given: Given) -> None:
        """From its begin to its end, which is told whatever it is."""
        folder = await asyncio.to_thread(self._settings.room)
        try:
            await self._tell_fact(job, "board.work-begun")
            await self._work(job, given, folder)
            job.end(FlashState.DONE)
        except asyncio.CancelledError:
            job.end(FlashState.CANCELLED)
            if self._group is None:
                raise
        except OutpostError as error:
            job.end(FlashState.FAILED, error)
        except Exception as error:  # the edge of this task: one bad job must not end the others
            log.exception("job %s at %s: a fault in the hub", job.id, job.wanted.path)
            fault = f"the hub's own fault: {type(error).__name__}: {error}"
            job.end(FlashState.FAILED, OutpostError(fault, hint="Please report it."))
        finally:
            self._tasks.pop(job.id, None)
            await asyncio.shield(self._close(job, folder))

    async def _close(self, job: Job, folder: Path) -> None:
        await asyncio.to_thread(shutil.rmtree, folder, True)
        with contextlib.suppress(OutpostError):  # a store that is closed or full loses no board
            if job.state is FlashState.DONE:
                await self._tell_fact(job, FACTS.get(job.wanted.what, ""))
            else:
                await self._tell_fact(job, "board.work-failed", reason=job.reason, state=job.state.value)

    async def _work(self, job: Job, given: Given, folder: Path) -> None:
        work = Work(given, folder, job)
        try:
            async with self._ports.lent(job.wanted.path, f"{PHRASES[job.wanted.what]} the board by {job.actor}"):
                await work.do()
        finally:
            job.board = work.board
        if work.expects_hello:
            job.step("Waiting for the board to say hello to the hub", 5)
            device = await self._hello(job.wanted.path)
            job.board = msgspec.structs.replace(work.board, device=device)
            job.note(f"It is the device {device}.")

    async def _hello(self, path: str) -> str:
        """The device at the port, once it is there. Raises Trouble after HELLO_S."""
        ends_s = asyncio.get_running_loop().time() + HELLO_S
        while asyncio.get_running_loop().time() < ends_s:
            for view in self._ports.views():
                if view.path == path and view.device:
                    return view.device
            await asyncio.sleep(LOOK_S)
        raise Trouble(
            Kind.OTHER,
            "Everything is on the board as it should be, but its program does not say hello.",
            "Tap EN (or RST). If it stays silent, `outpost firmware identify PORT` says what answers.",
        )

    async def _tell_fact(self, job: Job, kind: str, **more: object) -> None:
        wanted, board = job.wanted, job.board
        if not kind or wanted.what is What.IDENTIFY:
            return
        body = {
            "path": wanted.path, "what": wanted.what.value, "by": job.actor, "job": job.id,
            "image": wanted.image, "artifact": board.app or wanted.artifact, "version": board.firmware,
            "chip": board.chip, "mac": board.mac, **more,
        }  # fmt: skip
        told = {name: value for name, value in body.items() if value}
        await self._db.write(lambda tx: tx.fact(kind, board.device or board.mac or wanted.path, **told))


PHRASES = {
    What.IDENTIFY: "looking at",
    What.WHOLE: "flashing",
    What.APP: "putting an app on",
    What.ERASE: "erasing",
    What.RECOVER: "recovering",
    What.FACTORY_RESET: "resetting",
}
