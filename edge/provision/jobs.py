"""Boards being set up at this moment, and the last that were: each a task, told in sentences, and cancellable.

They are kept in memory alone. A hub that is started anew has forgotten them, which costs a technician one more try;
that a board was set up, by whom and in which way, is in the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable

import msgspec

from edge.bus import Bus
from edge.clock import Clock, iso
from edge.errors import Busy, NotFound, OutpostError, RateLimited
from edge.provision.events import ProvisionChanged
from edge.wire.provision import BoardInfo, NetworkView, ProvisionState, ProvisionStep, ProvisionView, StartProvision

JOBS_KEPT = 20  # ended ones are let go, the oldest first
RUNNING_MAX = 8  # a technician has two hands
STEPS_MAX = 60  # a job has about ten
FAULT = "The hub itself failed at this; its log says where."

log = logging.getLogger(__name__)


class Job:
    """One board being set up. Only what may be seen is kept here: no password, no token."""

    def __init__(self, view: ProvisionView, clock: Clock, bus: Bus) -> None:
        self.view, self._clock, self._bus = view, clock, bus
        self.task: asyncio.Task[None] | None = None

    def say(self, text: str) -> None:
        """Tell that something has happened, as a sentence."""
        step = ProvisionStep(iso(self._clock.now().at_us), text)
        self._change(steps=[*self.view.steps, step][-STEPS_MAX:])

    def is_board(self, board: BoardInfo) -> None:
        """It is known who the board says it is."""
        self._change(board=board)

    def hears(self, networks: list[NetworkView]) -> None:
        """It is known which WiFi the board hears."""
        self._change(networks=networks)

    def serves(self, urls: list[str]) -> None:
        """It is known where the board's own pages are."""
        shown = [url for url in urls if url.startswith(("http://", "https://")) and url.isprintable()]
        self._change(urls=shown)

    def is_device(self, device_id: str) -> None:
        """It is known which device of the hub the board is."""
        self._change(device=device_id)

    def end(self, state: ProvisionState, error: str = "", hint: str = "") -> None:
        """It is over."""
        self._change(state=state, error=error, hint=hint)

    def _change(self, **fields: object) -> None:
        self.view = msgspec.structs.replace(self.view, **fields)
        self._bus.publish(ProvisionChanged(view=self.view))


Work = Callable[[Job], Awaitable[None]]
Note = Callable[[ProvisionView], Awaitable[None]]
"""Writes down that a board was set up. Raises StorageError."""


class Jobs:
    """All jobs. `stop` ends those that run; nothing of theirs is left open then."""

    def __init__(self, clock: Clock, bus: Bus, note: Note) -> None:
        self._clock, self._bus, self._note = clock, bus, note
        self._jobs: dict[str, Job] = {}

    def all(self) -> list[ProvisionView]:
        """Every job, the newest first."""
        return [job.view for job in reversed(self._jobs.values())]

    def get(self, job_id: str) -> Job:
        """One job. Raises NotFound."""
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound(f"There is no such job: {job_id}.", hint="GET /v1/provision lists the last ones.")
        return job

    def start(self, asked: StartProvision, work: Work, *, actor: str) -> ProvisionView:
        """Begin one. Raises Busy while the same port or board is being set up, RateLimited with too many."""
        running = [job for job in self._jobs.values() if job.view.state == "running"]
        same = (asked.way == "portal", asked.where)
        if any(same == (job.view.way == "portal", job.view.where) for job in running):
            what = asked.where or "A board by its own page"
            raise Busy(f"{what} is being set up at this moment.", hint="Wait until that has ended, or cancel it.")
        if len(running) >= RUNNING_MAX:
            raise RateLimited(f"{RUNNING_MAX} boards are being set up at this moment.", retry_after_s=10.0)
        view = ProvisionView(
            id=f"p-{secrets.token_hex(4)}",
            way=asked.way,
            where=asked.where,
            state="running",
            only_asks=not asked.ssid and asked.way != "portal",
            ssid=asked.ssid,
            started_at=iso(self._clock.now().at_us),
            started_by=actor,
            steps=[],
        )
        job = self._jobs[view.id] = Job(view, self._clock, self._bus)
        self._let_go()
        job.task = asyncio.create_task(self._run(job, work), name=f"provision {view.id}")
        return job.view

    async def cancel(self, job_id: str) -> ProvisionView:
        """End one; one that has ended stays as it is. Raises NotFound."""
        job = self.get(job_id)
        if job.task is not None and not job.task.done():
            job.task.cancel()
            await asyncio.wait({job.task})
        return job.view

    async def stop(self) -> None:
        """End all: each port and the radio are given back before this returns."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None and not job.task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, job: Job, work: Work) -> None:
        try:
            await work(job)
            if not job.view.only_asks:
                await self._note(job.view)
        except asyncio.CancelledError:
            job.say("Cancelled. What the board has stored by now it keeps.")
            job.end("cancelled")
        except OutpostError as error:
            job.end("failed", _sentence(error.detail), error.advice)
        except Exception:  # the task's edge: one job must not end the hub
            log.exception("a board could not be set up: a fault in the hub")
            job.end("failed", FAULT)
        else:
            job.end("done")

    def _let_go(self) -> None:
        over = [job_id for job_id, job in self._jobs.items() if job.view.state != "running"]
        for job_id in over[: max(0, len(self._jobs) - JOBS_KEPT)]:
            with contextlib.suppress(KeyError):
                del self._jobs[job_id]


def _sentence(detail: str) -> str:
    """With a capital and a full stop."""
    return detail[:1].upper() + detail[1:] + ("" if detail.endswith((".", "!", "?")) else ".")
