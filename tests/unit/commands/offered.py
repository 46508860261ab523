"""What a hub has for a device to run, one file of it: for tests of those who carry it there."""

from __future__ import annotations

from edge.commands.field_line import Piece
from edge.errors import OutpostError
from edge.wire.native import Running
from edge.wire.updates import Heard, Offer, Step, Told

FILE = b"what it is offered"


class Offered:
    """What a hub has for the device to run. `refuses`: what the next piece is refused with."""

    def __init__(self) -> None:
        self.now: Offer | None = None
        self.refuses: OutpostError | None = None
        self.said: list[Told] = []
        self.running: list[Running] = []
        self.reports: list[str] = []

    def offer(self, device_id: str) -> Offer | None:
        return self.now

    async def piece(self, device_id: str, artifact: str, what: str, start: int, most: int) -> Piece:
        if self.refuses is not None:
            raise self.refuses
        return Piece(data=FILE[start : start + most], total=len(FILE), sha256=what)

    async def tell(self, device_id: str, told: Told) -> Heard:
        self.said.append(told)
        return Heard(artifact=told.artifact, step=told.step, confirm=told.step is Step.TESTING)

    async def runs(self, device_id: str, running: Running) -> None:
        self.running.append(running)

    def reported(self, device_id: str) -> None:
        self.reports.append(device_id)
