"""The hub's side of the decoder: one warm process, a bounded queue, a deadline, and a new process when it fails."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import msgspec

from edge.content.intake.decoder import Answer, Job
from edge.errors import BadPicture, Busy, TooLarge, Unreachable

MAX_WAITING = 16  # jobs in line: at 10 ms each a caller waits less than 0.2 s
JOB_DEADLINE_S = 5.0
START_DEADLINE_S = 20.0  # a cold Pi imports from a slow card
JOBS_PER_PROCESS = 500  # a new process then: whatever a decoder leaks or a picture planted ends with it
MAX_ANSWER_BYTES = 9 * 1024 * 1024  # a picture to keep: at most 1600x1600 pixels of 3 bytes, and a little more
_REFUSALS = {TooLarge.code: TooLarge}


class DecoderProcess:
    """Serves one job at a time, in order. `start` before the first, `close` after the last."""

    def __init__(self, *, job_deadline_s: float = JOB_DEADLINE_S, jobs_per_process: int = JOBS_PER_PROCESS) -> None:
        self._job_deadline_s = job_deadline_s
        self._jobs_per_process = jobs_per_process
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._jobs_done = 0
        self._closed = False
        self._process: Process | None = None
        self._successor: asyncio.Task[Process] | None = None

    async def start(self) -> None:
        """Have a warm process ready before the first picture comes."""
        self._process = await _spawn()

    async def close(self) -> None:
        """End the process, its successor and whoever waits for it."""
        self._closed = True
        if self._successor is not None:
            self._successor.cancel()
            await asyncio.gather(self._successor, return_exceptions=True)
            self._successor = None
        await self._discard()

    @property
    def pid(self) -> int | None:
        """The warm process, if there is one."""
        return self._process.pid if self._process else None

    async def run(self, job: Job) -> Answer:
        """The answer to `job`, none of them a refusal.

        Raises BadPicture and TooLarge as the decoder refuses; BadPicture when it dies or exceeds its deadline over
        this picture; Busy when MAX_WAITING callers are in line, or it is closing; Unreachable when none starts.
        """
        if self._waiting >= MAX_WAITING:
            raise Busy("too many pictures are waiting to be read", hint="Send the picture again in a second.")
        self._waiting += 1
        try:
            async with self._turn:
                return _accepted(await self._attempt(job))
        finally:
            self._waiting -= 1

    async def _attempt(self, job: Job) -> Answer:
        process = await self._warm()
        try:
            async with asyncio.timeout(self._job_deadline_s):
                await _send(process, msgspec.msgpack.encode(job))
                frame = await _receive(process)
            found = msgspec.msgpack.decode(frame, type=Answer)
        except TimeoutError:
            await self._replace()
            raise BadPicture("reading the picture takes too long") from None
        except (OSError, EOFError, msgspec.MsgspecError):
            await self._replace()
            raise BadPicture("the picture broke its decoder; nothing else is harmed") from None
        except asyncio.CancelledError:
            await self._replace()  # the caller left: the answer on its way must not meet the next job
            raise
        self._jobs_done += 1
        if self._jobs_done >= self._jobs_per_process:
            await self._replace()
        return found

    async def _warm(self) -> Process:
        """The process, waiting for the one that is being started."""
        if self._process is None:
            if self._closed:
                raise Busy("the picture decoder is closing", hint="Send the picture again when the hub is back.")
            if self._successor is None:
                self._successor = asyncio.create_task(_spawn())
            successor = self._successor
            try:
                self._process = await asyncio.shield(successor)
            finally:
                if successor.done():
                    self._successor = None
            self._jobs_done = 0
        return self._process

    async def _replace(self) -> None:
        """End the process and start the next one beside, so that the next job finds it warm."""
        process, self._process = self._process, None
        if self._successor is None and not self._closed:
            self._successor = asyncio.create_task(_spawn())
        if process is not None:
            await _end(process)

    async def _discard(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await _end(process)


def _accepted(answer: Answer) -> Answer:
    if answer.refused:
        refusal = _REFUSALS.get(answer.refused, BadPicture)
        raise refusal(answer.detail, hint=answer.hint)
    return answer


async def _spawn() -> Process:
    """A decoder that is warm. Raises Unreachable when it does not come up."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "edge.content.intake.decoder",
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, close_fds=True,
        env={"PYTHONPATH": path, "MALLOC_ARENA_MAX": "1"},
    )  # fmt: skip
    try:
        async with asyncio.timeout(START_DEADLINE_S):
            await _receive(process)
    except (TimeoutError, EOFError, OSError):
        await _end(process)
        raise Unreachable(
            "the picture decoder does not start", hint="`outpost doctor` checks the usual causes."
        ) from None
    except asyncio.CancelledError:
        await _end(process)
        raise
    return process


async def _send(process: Process, frame: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(len(frame).to_bytes(4, "big"))
    process.stdin.write(frame)
    await process.stdin.drain()


async def _receive(process: Process) -> bytes:
    """One frame. Raises EOFError when the process ended, or spoke nonsense."""
    assert process.stdout is not None
    length = int.from_bytes(await process.stdout.readexactly(4), "big")
    if length > MAX_ANSWER_BYTES:
        raise EOFError("the decoder's answer is too long")
    return await process.stdout.readexactly(length)


async def _end(process: Process) -> None:
    """Kill and reap; its pipes are closed. Finishes also when the caller is cancelled meanwhile."""
    if process.returncode is None:
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await asyncio.shield(process.wait())
