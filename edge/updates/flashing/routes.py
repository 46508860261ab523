"""/v1/flash and /v1/board-images: boards over USB."""

from __future__ import annotations

from edge.errors import BadInput
from edge.serving.bodies import pieces
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.updates.flashing.board_images import BODY_MAX, BoardImages
from edge.updates.flashing.jobs import FlashJobs
from edge.wire.flashing import BoardImageView, FlashView, NewFlash

LULL_S = 30.0  # between two pieces of an upload


class FlashRoutes:
    """The routes of this capability."""

    def __init__(self, jobs: FlashJobs, images: BoardImages) -> None:
        self._jobs, self._images = jobs, images

    def all(self) -> list[Route]:
        """Every route."""
        see, tech, job, image = Role.VIEWER, Role.TECHNICIAN, FlashView, BoardImageView
        jobs, one, images = "/v1/flash", "/v1/flash/{job}", "/v1/board-images"
        begin = "Do something with the board at a port: one job a port"
        take = "Take in a MicroPython for boards over USB; the body is the file"
        return [
            Route("GET", jobs, self.list, "Jobs at the serial ports, newest first", see, returns=job, many=True),
            Route("POST", jobs, self.start, begin, tech, body=NewFlash, returns=job, created=True),
            Route("GET", one, self.one, "One job as it stands", see, returns=job),
            Route("POST", one + "/cancel", self.cancel, "End a job now, whatever it does", tech, returns=job),
            Route("GET", images, self.images, "MicroPythons for boards over USB", see, returns=image, many=True),
            Route("POST", images, self.add, take, tech, returns=image, created=True, query=("name",)),
            Route("DELETE", images + "/{image}", self.remove, "Remove one, by its id or the begin of it", tech),
        ]

    async def list(self, call: Call) -> Answer:
        """GET /v1/flash."""
        return Page(self._jobs.all())

    async def start(self, call: Call) -> Answer:
        """POST /v1/flash."""
        return Created(await self._jobs.start(call.body, actor=call.actor))

    async def one(self, call: Call) -> Answer:
        """GET /v1/flash/{job}."""
        return self._jobs.get(call.param("job"))

    async def cancel(self, call: Call) -> Answer:
        """POST /v1/flash/{job}/cancel."""
        return await self._jobs.cancel(call.param("job"))

    async def images(self, call: Call) -> Answer:
        """GET /v1/board-images."""
        return Page(self._images.all())

    async def add(self, call: Call) -> Answer:
        """POST /v1/board-images?name=."""
        if not call.request.body_exists:
            raise BadInput("The body is the file itself, and there is none.")
        coming = pieces(call.request, BODY_MAX, LULL_S)
        return Created(await self._images.add(coming, call.query("name"), actor=call.actor))

    async def remove(self, call: Call) -> Answer:
        """DELETE /v1/board-images/{image}."""
        await self._images.remove(call.param("image"), actor=call.actor)
        return None
