"""A cable to a device that is no display: it hears how it stands and what it shall be, and its readings are taken.

Runs beside the handing out of commands over the same conversation, one message at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import Protocol

import msgspec

from edge.errors import LinkError, OutpostError
from edge.links.conversation import Telling
from edge.wire import field
from edge.wire.cable import Desired, Readings, Report, Taken, Welcome

log = logging.getLogger(__name__)

WELCOME_AGAIN_S = 600.0  # an ESP32's clock drifts by up to 40 ppm: 24 ms in that time
TELL_AGAIN_S = 5.0  # after the hub's own fault
HEARD_MAX = 4  # a device sends one batch at a time; past it the oldest is shed, and comes again since none answers
REFUSED_MAX, REFUSED_CHARS = 8, 120  # of the reasons told: a header has 4 KiB


class FieldSide(Protocol):
    """What the hub has for such a device, and does with what it says."""

    async def welcome(self, device_id: str) -> Welcome:
        """How it stands here."""

    async def readings(self, device_id: str, batch: field.Readings) -> field.Taken:
        """Take a batch; on disk when this returns."""

    async def report(self, device_id: str, report: field.Report) -> None:
        """Keep what it says of itself."""

    def desired(self, device_id: str) -> field.Desired | None:
        """What it shall be; None when nothing was ever said."""


class FieldLine:
    """One conversation's side talk. `run` it for as long as the conversation lasts."""

    def __init__(self, device_id: str, line: Telling, side: FieldSide) -> None:
        self._device_id, self._line, self._side = device_id, line, side
        self._heard: deque[Readings | Report] = deque(maxlen=HEARD_MAX)
        self._wake = asyncio.Event()
        self._told: Welcome | None = None
        self._told_version = 0

    def hear(self, message: Readings | Report) -> None:
        """The device has said this."""
        self._heard.append(message)
        self._wake.set()

    def look(self) -> None:
        """Something about the device may have changed."""
        self._wake.set()

    async def run(self) -> None:
        """Until the line is over, or cancelled."""
        with contextlib.suppress(LinkError):
            while True:
                self._wake.clear()
                told = await self._tell()
                while self._heard:
                    await self._take(self._heard.popleft())
                try:
                    async with asyncio.timeout(WELCOME_AGAIN_S if told else TELL_AGAIN_S):
                        await self._wake.wait()
                except TimeoutError:
                    self._told = None if told else self._told

    async def _tell(self) -> bool:
        """Tell what is new of it; False when the hub's disk did not let it know that."""
        try:
            await self._tell_standing()
            await self._tell_desired()
        except LinkError:
            raise
        except OutpostError:
            log.exception("a device could not be told how it stands", extra={"device": self._device_id})
            return False
        return True

    async def _tell_standing(self) -> None:
        welcome = await self._side.welcome(self._device_id)
        told = self._told
        if told is None or (told.approved, told.quality) != (welcome.approved, welcome.quality):
            await self._line.tell(welcome)
            self._told = welcome

    async def _tell_desired(self) -> None:
        desired = self._side.desired(self._device_id)
        if desired is not None and desired.version != self._told_version:
            self._told_version = desired.version  # what is too large for the line is so the next time too
            await self._line.tell(Desired(version=desired.version, state=desired.state))

    async def _take(self, message: Readings | Report) -> None:
        try:
            if isinstance(message, Report):
                await self._side.report(self._device_id, message)
                return
            taken = await self._side.readings(self._device_id, message)
        except LinkError:
            raise
        except OutpostError:  # it gets no answer, so it sends it again
            log.exception("what a device said could not be kept", extra={"device": self._device_id})
            return
        refused = [reason[:REFUSED_CHARS] for reason in taken.refused[:REFUSED_MAX]]
        await self._line.tell(Taken(**msgspec.structs.asdict(msgspec.structs.replace(taken, refused=refused))))
