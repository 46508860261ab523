"""Boards over USB: MicroPython and an app put on them at the hub's own ports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import msgspec

from edge.bus import Event
from edge.errors import BadFirmware, NotFound, Unsigned
from edge.links.serial_port import Lines
from edge.links.supervisor import Supervisor
from edge.parts.part import Core, Part
from edge.parts.updates import UpdatesPart
from edge.serving.routing import Route
from edge.updates.artifacts.artifacts import Artifacts
from edge.updates.flashing.board_files import App
from edge.updates.flashing.board_images import BoardImages
from edge.updates.flashing.events import FlashChanged
from edge.updates.flashing.jobs import FlashJobs
from edge.updates.flashing.kept_settings import KeptSettings
from edge.updates.flashing.routes import FlashRoutes
from edge.wire.firmware import Kind
from edge.wire.views import LiveEvent


class FlashingPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core, updates: UpdatesPart, ports: Supervisor) -> None:
        serial, folder = core.settings.serial, core.directory
        self.images = BoardImages(folder / "board-images", core.store, core.clock)
        self.jobs = FlashJobs(
            ports,
            HeldApps(updates.artifacts),
            self.images,
            KeptSettings(folder / "board-settings"),
            core.store.hub,
            core.bus,
            core.clock,
            lines=Lines(serial.lines),
            by_hand=serial.by_hand,
        )
        self._routes = FlashRoutes(self.jobs, self.images)

    def routes(self) -> list[Route]:
        """/v1/flash, /v1/board-images."""
        return self._routes.all()

    async def start(self) -> None:
        """Read which board images there are."""
        await self.images.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """The jobs; they end with the hub."""
        return {"flashing": self.jobs.run}

    async def translate(self, event: Event) -> LiveEvent | None:
        """A job as it is now."""
        if not isinstance(event, FlashChanged):
            return None
        try:
            view = self.jobs.get(event.job_id)
        except NotFound:
            return None
        return LiveEvent(topic="flash", data=msgspec.to_builtins(view))


class HeldApps:
    """Apps among the artifacts that the hub holds."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    async def app(self, artifact: str) -> App:
        """One of them, in memory. Raises NotFound, BadFirmware, Unsigned, StorageDamaged."""
        found = self._artifacts.get(artifact)
        if found.kind is not Kind.APP:
            raise BadFirmware(
                f"{found.id[:16]} is an image, not an app.", hint="Boards get an image as MicroPython, from a file."
            )
        if not self._artifacts.trusted(found):
            raise Unsigned(f"Nobody who signed {found.id[:16]} is trusted any more.")
        files = {}
        for file in found.files:
            blob = await self._artifacts.open(found.id, file.sha256)
            files[file.path] = await asyncio.to_thread(blob.path.read_bytes)
        return App(found.id, found.read, found.manifest, found.signatures, files)
