"""The hub's side of one port, for as long as the hub owns it: open, find out who is there, converse, and again.

One conversation at a time, each on a newly opened port. A loss is told at once; then the port is tried again with
growing pauses, or at once when something is plugged in.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_fixed, wait_random_exponential

from edge.clock import Clock
from edge.errors import OutpostError
from edge.links.boot_text import DownloadMode, Stranger
from edge.links.conversation import Conversation, Openers
from edge.links.detect import Way, detect, first_baud
from edge.links.monitor import Monitor
from edge.links.port_status import ABSENT, Note, PortState, PortStatus, failure
from edge.links.ports import Sighting, settled_facts, sight
from edge.links.serial_port import Direction, Lines, SerialPort
from edge.links.spec import PortSpec
from edge.wire.views import PortView

log = logging.getLogger(__name__)

RETRY_MIN_S = 0.2  # a driver takes so long to let a port go
RETRY_FIRST_S = 0.5  # the first pause is random up to this, and doubles
RETRY_MAX_S = 10.0  # a technician who puts things right waits no longer
STEADY_S = 10.0  # a conversation that lasted so long ends a row of short ones
SHORT_MAX = 5  # short ones in a row: 0.2 s doubled so often is 6.4 s


class House(Protocol):
    """Whom an owner tells, and what it may use."""

    clock: Clock
    openers: Openers
    lines: Lines
    ways: dict[str, Way]  # by what is known of a port before asking: how its device was reached last

    def up(self, owner: PortOwner, conversation: Conversation) -> None:
        """A device is there. Raises Conflict when it already is, on another port."""

    def down(self, conversation: Conversation, reason: str) -> None:
        """It is gone."""

    def changed(self, view: PortView) -> None:
        """The port's state is another."""


class _Replugged(Exception):
    """Another thing is at the path than before: begin anew, without a pause."""


class PortOwner:
    """One port. `run` it in a task; cancelling it gives the port up."""

    def __init__(self, spec: PortSpec, house: House) -> None:
        self.spec, self._house = spec, house
        self.status = PortStatus(spec.path, house.clock, house.changed)
        self.port: SerialPort | None = None
        self.monitors: set[Monitor] = set()
        self._seen: Sighting | None = sight(spec.path)
        self._opened: Sighting | None = None
        self._wake = asyncio.Event()
        self._pulsed: Sighting | None = None
        self._short = 0

    @property
    def real(self) -> str:
        """The port it has open, or would open, by its real name; empty when there is none."""
        sighting = self._opened or self._seen
        return "" if sighting is None else sighting.real

    def saw(self, sighting: Sighting | None) -> None:
        """The watcher tells what is at the path now."""
        if sighting != self._seen:
            self._seen = sighting
            self._wake.set()

    def tap(self, direction: Direction, data: bytes) -> None:
        """Show a piece of the line to those who watch."""
        for monitor in self.monitors:
            monitor.offer(direction, data)

    async def run(self) -> None:
        """Own the port until cancelled."""
        while True:
            try:
                await self._present()
                await self._converse(await self._reach())
            except _Replugged:
                continue
            except Exception as error:  # noqa: BLE001 the edge of this task: one bad port must not end the others
                self._report(error)
                await self._pause_or_replug(RETRY_MAX_S)

    async def _present(self) -> None:
        """Wait until something is there."""
        self._seen = sight(self.spec.path)
        while self._seen is None:
            self.status.show(ABSENT)
            self._wake.clear()
            await self._wake.wait()

    async def _reach(self) -> Conversation:
        """Try until a device answers. Raises _Replugged when another thing is at the path."""
        retrying = AsyncRetrying(
            wait=wait_fixed(RETRY_MIN_S) + wait_random_exponential(RETRY_FIRST_S, max=RETRY_MAX_S - RETRY_MIN_S),
            retry=retry_if_exception(_may_pass),
            sleep=self._pause,
            before_sleep=self._tell_failure,
        )
        return await retrying(self._try)

    async def _try(self) -> Conversation:
        """Open, find out, and tell that it is up. The port is closed again when that fails."""
        self._opened = sight(self.spec.path)
        if self._opened is None:
            raise _Replugged
        self._seen = self._opened
        self._wake.clear()
        self.status.facts = await settled_facts(self.spec.path)
        self._progress(Note(state=PortState.OPENING))
        baud = first_baud(self.spec, self._house.ways.get(self.status.facts.identity))
        self.port = await SerialPort.open(self._opened.real, baud=baud, lines=self._house.lines, tap=self.tap)
        try:
            return await self._find_out(self.port)
        except BaseException:
            await self._close()
            raise

    async def _find_out(self, port: SerialPort) -> Conversation:
        self._progress(Note(state=PortState.DETECTING, baud=port.baud))
        try:
            conversation, way = await self._detect(port)
        except DownloadMode:
            if self._pulsed == self._opened or not await port.reset():
                raise
            self._pulsed = self._opened  # once for each time it is plugged in
            conversation, way = await self._detect(port)
        try:
            self._house.up(self, conversation)
        except BaseException:
            await conversation.close()
            raise
        self._house.ways[self.status.facts.identity] = way
        return conversation

    def _progress(self, note: Note) -> None:
        """Show a step on the way; while failing, the reason stays until it is known better."""
        if self.status.note.state is not PortState.FAILED:
            self.status.show(note)

    async def _detect(self, port: SerialPort) -> tuple[Conversation, Way]:
        facts = self.status.facts
        return await detect(port, facts, self.spec, self._house.openers, self._house.ways.get(facts.identity))

    async def _converse(self, conversation: Conversation) -> None:
        began_s = self._house.clock.mono_s()
        self.status.show(_online(conversation))
        reason = "the hub gave the port up"
        try:
            reason = await conversation.wait_closed()
        finally:
            self._house.down(conversation, reason)
            await conversation.close()
            await self._close()
        lasted_s = self._house.clock.mono_s() - began_s
        self._short = 0 if lasted_s > STEADY_S else min(self._short + 1, SHORT_MAX)
        if sight(self.spec.path) is None:
            return
        self.status.show(Note(state=PortState.FAILED, detail=reason, hint="The hub tries again by itself."))
        await self._pause_or_replug(RETRY_MIN_S * 2**self._short)

    async def _close(self) -> None:
        port, self.port, self._opened = self.port, None, None
        if port is not None:
            await port.close()

    async def _pause(self, seconds: float) -> None:
        """Wait, less when the watcher sees another thing at the path. Raises _Replugged then."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        if self._wake.is_set():
            self._wake.clear()
            raise _Replugged

    async def _pause_or_replug(self, seconds: float) -> None:
        with contextlib.suppress(_Replugged):
            await self._pause(seconds)

    async def _tell_failure(self, state: RetryCallState) -> None:
        """Say why it failed. A stranger is left alone until something else is plugged in."""
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, Exception):
            self._report(error)
        if isinstance(error, Stranger):
            await self._wake.wait()

    def _report(self, error: Exception) -> None:
        if not isinstance(error, OutpostError):
            log.error("port %s: a fault in the hub", self.spec.path, exc_info=error)
        self.status.show(failure(error))


def _may_pass(error: BaseException) -> bool:
    """Whether to try again: whatever is wrong with a port, a person may put it right."""
    return isinstance(error, Exception) and not isinstance(error, _Replugged)


def _online(conversation: Conversation) -> Note:
    silent = conversation.hello.get("answered") is False
    return Note(
        state=PortState.ONLINE,
        profile=conversation.profile,
        baud=conversation.baud,
        device=conversation.identity,
        detail="opened as configured; it did not answer then" if silent else "",
        hint="The first picture will show whether it is there." if silent else "",
    )
