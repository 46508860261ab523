"""A cable to a device with our firmware: it hears how it stands and what it shall be and run, and its readings are
taken. A display is told of updates and of what its panel shall show alone.

Runs beside the handing out of commands over the same conversation, one message at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import Protocol

import msgspec

from edge.errors import Crowded, LinkError, NotFound, OutpostError
from edge.links.conversation import Telling
from edge.wire import cable, content, field, updates
from edge.wire.cable import Desired, Fetch, Readings, Report, Taken, Welcome
from edge.wire.native import Running
from edge.wire.updates import Offer

log = logging.getLogger(__name__)

WELCOME_AGAIN_S = 600.0  # an ESP32's clock drifts by up to 40 ppm: 24 ms in that time
TELL_AGAIN_S = 5.0  # after the hub's own fault
HEARD_MAX = 4  # a device sends one batch at a time; past it the oldest is shed, and comes again since none answers
REFUSED_MAX, REFUSED_CHARS = 8, 120  # of the reasons told: a header has 4 KiB


Said = Readings | Report | Fetch | cable.Told | cable.Shown


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of what a device is offered, from where it asked on, and how many the whole has."""

    data: bytes
    total: int
    sha256: str  # of the whole, in hex


class Updates(Protocol):
    """What devices shall run, and where they stand with it."""

    def offer(self, device_id: str) -> Offer | None:
        """What stands for this device now."""

    async def piece(self, device_id: str, artifact: str, what: str, start: int, most: int) -> Piece:
        """At most so many bytes of what it is offered: `what` is `manifest`, `signatures` or a file's SHA-256.

        Raises NotFound for what it is not offered, or not any more, Crowded when others are served first.
        """

    async def tell(self, device_id: str, told: updates.Told) -> updates.Heard:
        """A device says how far it is; on disk when this returns."""

    async def runs(self, device_id: str, running: Running) -> None:
        """A device says, with its hello, what it runs."""

    def reported(self, device_id: str) -> None:
        """A device has said how it fares."""


class Panels(Protocol):
    """What panels shall show, and what they show."""

    def has_panel(self, device_id: str) -> bool:
        """Whether it is told what its panel shall show: it has one, and is approved."""

    async def show(self, device_id: str) -> content.Show | None:
        """What its panel shall show; None when nothing is scheduled."""

    def standing(self, device_id: str) -> str:
        """The hash of what `show` found last, '' for nothing: asked without waiting."""

    async def piece(self, device_id: str, picture: str, start: int, most: int) -> Piece:
        """At most so many bytes of the picture it shall show. Raises NotFound for any other."""

    async def shown(self, device_id: str, shown: content.Shown) -> None:
        """A device says what its panel shows; on disk when this returns."""


class FieldSide(Protocol):
    """What the hub has for such a device, and does with what it says."""

    updates: Updates
    panels: Panels

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

    def __init__(
        self, device_id: str, line: Telling, side: FieldSide, *, display: bool, running: Running | None
    ) -> None:
        self._device_id, self._line, self._side, self._display = device_id, line, side, display
        self._running = running
        self._offered = ""
        self._shows: str | None = None  # the picture it was told of, '' for none; None: nothing was told
        self._heard: deque[Said] = deque(maxlen=HEARD_MAX)
        self._wake = asyncio.Event()
        self._told: Welcome | None = None
        self._told_version = 0

    def hear(self, message: Said) -> None:
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
            if not self._display:
                await self._tell_standing()
                await self._tell_desired()
            await self._tell_offer()
            await self._tell_show()
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

    async def _tell_offer(self) -> None:
        if self._running is None:
            return  # its firmware cannot be updated
        offer = self._side.updates.offer(self._device_id)
        mark = updates.mark_of(offer) if offer is not None else ""
        if mark != self._offered:
            await self._line.tell(cable.Offer(offer=offer))
            self._offered = mark

    async def _tell_show(self) -> None:
        if not self._side.panels.has_panel(self._device_id):
            return
        show = await self._side.panels.show(self._device_id)
        picture = show.picture if show is not None else ""
        if picture != self._shows:
            await self._line.tell(cable.Show(show=show))
            self._shows = picture

    async def _take(self, message: Said) -> None:
        try:
            if isinstance(message, Fetch):
                await self._hand_over(message)
            elif isinstance(message, cable.Shown):
                await self._side.panels.shown(self._device_id, message)
                await self._line.tell(cable.Noted(picture=message.picture))
            elif isinstance(message, cable.Told):
                await self._line.tell(_heard(await self._side.updates.tell(self._device_id, message)))
            elif isinstance(message, Report):
                await self._side.report(self._device_id, message)
            else:
                await self._take_readings(message)
        except LinkError:
            raise
        except OutpostError:  # it gets no answer, so it sends it again
            log.exception("what a device said could not be kept", extra={"device": self._device_id})

    async def _hand_over(self, wanted: Fetch) -> None:
        """A piece of what it is offered or shall show, or why there is none."""
        said = cable.Piece(artifact=wanted.artifact, what=wanted.what, start=wanted.start, total=0)
        try:
            piece = await self._piece(wanted)
        except (NotFound, Crowded) as error:
            await self._line.tell(
                msgspec.structs.replace(said, err="gone" if isinstance(error, NotFound) else "busy")
            )
            return
        await self._line.tell(msgspec.structs.replace(said, total=piece.total), piece.data)

    async def _piece(self, wanted: Fetch) -> Piece:
        if wanted.what == cable.PICTURE:
            return await self._side.panels.piece(self._device_id, wanted.artifact, wanted.start, wanted.most)
        return await self._side.updates.piece(
            self._device_id, wanted.artifact, wanted.what, wanted.start, wanted.most
        )

    async def _take_readings(self, message: Readings) -> None:
        taken = await self._side.readings(self._device_id, message)
        refused = [reason[:REFUSED_CHARS] for reason in taken.refused[:REFUSED_MAX]]
        await self._line.tell(Taken(**msgspec.structs.asdict(msgspec.structs.replace(taken, refused=refused))))


def _heard(answer: updates.Heard) -> cable.Heard:
    return cable.Heard(**msgspec.structs.asdict(answer))
