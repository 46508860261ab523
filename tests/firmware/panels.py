"""Pictures for panels of any size, as the hub makes them, and a hub that gives them out in pieces."""

from __future__ import annotations

import asyncio
import hashlib
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.wire.cable import Fetch, Noted, Piece, Readings, Shown, Taken, Welcome
from edge.wire.native import State
from tests.firmware.board import DEADLINE_S, Board
from tests.firmware.machine import Machine

if TYPE_CHECKING:
    from outpost.request import Request
    from outpost.showing import Showing

NOW_US = 1_800_000_000_000_000
WBITS = 10  # the hub's window: 1 KB


@dataclass
class Picture:
    """`bitmap` as a panel shows it, `data` as it is fetched."""

    bitmap: bytes
    data: bytes = b""

    def __post_init__(self) -> None:
        if not self.data:
            packer = zlib.compressobj(9, wbits=WBITS)
            self.data = packer.compress(self.bitmap) + packer.flush()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def show(self, **more: object) -> dict[str, object]:
        """What the hub says to have it shown."""
        return {"picture": self.sha256, "size": len(self.data), "again_s": 60, **more}


def drawn(seed: int, width: int, height: int, busy_rows: int = 60) -> Picture:
    """A picture of a few KB: some rows that do not compress, then stripes."""
    stride = width // 8
    rows = random.Random(seed).randbytes(stride * busy_rows)
    stripes = b"".join((b"\xff", b"\x0f")[(y // 8 + seed) % 2] * stride for y in range(height))
    return Picture(rows + stripes[len(rows) :])


@dataclass
class Giver:
    """The hub's side: what it was asked, and answers. `flips`: so many pieces come with a wrong byte."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    told: list[dict[str, object]] = field(default_factory=list)
    flips: int = 0
    says: list[str] = field(default_factory=list)  # instead of the next pieces
    total: int | None = None  # instead of a picture's size
    deaf: bool = False

    def add(self, picture: Picture) -> dict[str, object]:
        self.pictures[picture.sha256] = picture
        return picture.show()

    def answer(self, showing: Showing) -> bool:
        """Answer what there is to ask; whether there was anything."""
        request = showing.request()
        if request is None or self.deaf:
            return False
        if request.told is not None:
            self.told.append(dict(request.told))
            showing.heard(request, request.told["picture"])
        else:
            self._piece(showing, request)
        return True

    def _piece(self, showing: Showing, request: Request) -> None:
        fetch: dict[str, Any] = dict(request.fetch or {})
        start = fetch["start"]
        self.asked.append(start)
        picture = self.pictures.get(fetch["artifact"])
        if self.says or picture is None:
            showing.piece(request, {**fetch, "err": self.says.pop(0) if self.says else "gone"}, b"")
            return
        data = picture.data[start : start + fetch["most"]]
        if self.flips and data:
            self.flips -= 1
            data = bytes([data[0] ^ 1]) + data[1:]
        showing.piece(request, {**fetch, "total": self.total or len(picture.data)}, data)


class CableHub:
    """The other end of its cable: gives out pictures, and answers what it is told."""

    def __init__(self, machine: Board | Machine) -> None:
        self.machine = machine
        self.events: list[Any] = machine.events  # type: ignore[assignment]  # whatever it says
        self.pictures: dict[str, bytes] = {}
        self.told: list[Shown] = []
        self.fetched = 0

    async def serve(self, holds: Callable[[], bool]) -> None:
        """Until it holds, which is looked at between two of its messages."""
        async with asyncio.timeout(DEADLINE_S):
            while not holds():
                await self._answer()
                await asyncio.sleep(0.01)

    async def _answer(self) -> None:
        for event in [event for event in self.events if not isinstance(event, State)]:
            self.events.remove(event)
            if isinstance(event, Fetch):
                self.fetched += 1
                whole = self.pictures[event.artifact]
                data = whole[event.start : event.start + event.most]
                head = {"artifact": event.artifact, "what": event.what, "start": event.start}
                await self.session.tell(Piece(total=len(whole), **head), data)  # type: ignore[arg-type]
            elif isinstance(event, Shown):
                self.told.append(event)
                await self.session.tell(Noted(picture=event.picture))
            elif isinstance(event, Readings):
                await self.session.tell(Taken(next=event.first + len(event.records)))

    async def meets(self) -> None:
        self.session = await self.machine.connect()
        await self.session.tell(Welcome(approved=True, now_us=NOW_US, quality="ntp", next=0))
