"""Pictures that documents of head office show: each fetched once over the line, on from where it was cut, and taken
in through the very process that looks at everybody's uploads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from edge.errors import OutpostError, Rejected, StorageError
from edge.sync.fetching import FetchLane, Wanted
from edge.sync.session import Session
from edge.sync.share import Share
from edge.wire.centre_content import OrderedPicture
from edge.wire.content import PICTURE_BYTES
from edge.wire.firmware import File

FOLDER = "fetching-pictures"  # in the data directory


class Album(Protocol):
    """The hub's pictures, as far as fetching needs them."""

    def has(self, sha256: str) -> bool:
        """Whether there is such a picture."""

    async def put(self, data: bytes, sha256: str, name: str, *, actor: str) -> object:
        """Keep a picture of head office under its hash there. Raises OutpostError for one that cannot be kept."""


class PictureLane(FetchLane):
    """Fetches pictures. `have` is for those who carry out orders of the centre."""

    def __init__(self, album: Album, directory: Path, share: Share) -> None:
        super().__init__(directory / FOLDER, share)
        self._album = album
        self._ordered: dict[str, OrderedPicture] = {}

    async def have(self, picture: OrderedPicture, actor: str) -> None:
        """Wait until this picture is here, however long the line is away; `actor`: who at the centre shows it.

        Raises OutpostError when it cannot be had: the centre has it no more, or this hub does not take it.
        """
        if not 0 < picture.size <= PICTURE_BYTES:
            if self._album.has(picture.id):
                return
            raise Rejected(f"Neither head office nor this site has the picture {picture.id[:12]}….")
        self._ordered[picture.id] = picture
        await self._have(picture.id, actor)

    def _is_here(self, name: str) -> bool:
        return self._album.has(name)

    async def _fetch(self, session: Session, name: str, wanted: Wanted) -> None:
        ordered = self._ordered[name]
        wanted.files = {name}
        file = File(path="picture", size=ordered.size, sha256=name)
        here = await self._partials.fetch(session, f"/sync/v1/pictures/{name}", file)
        await self._album.put(await asyncio.to_thread(_read, here), name, ordered.name, actor=wanted.actor)
        await asyncio.to_thread(here.unlink, missing_ok=True)
        self._ordered.pop(name, None)

    async def _cannot_be(self, name: str, error: OutpostError) -> None:
        self._ordered.pop(name, None)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise StorageError(f"A picture from the centre cannot be read: {error.strerror}.") from error
