"""The MicroPythons that boards here can be given: files in a folder, named by their hash, each with a line of
facts.

They are no artifacts: nobody updates to them over the air, and nothing refers to one but the work that writes it.
So there is no table; what a file is, is read from the file itself each time it is used.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from edge.clock import Clock, iso
from edge.errors import BadInput, Conflict, NotFound, StorageDamaged, StorageFull
from edge.settle import settle
from edge.store.database import Store
from edge.updates.flashing.board_image import IMAGE_MAX, BoardImage, read_board_image
from edge.wire.flashing import BoardImageView

IMAGES_MAX = 20  # each some 2 MB
COMING_MAX = 2  # uploads at once; each is in memory until it was looked at
NAME_CHARS = 120
SHORT_CHARS = 8  # of an id, at least, when a person types its begin
_ID = re.compile(r"[0-9a-f]{8,64}\Z")


class BoardImages:
    """All of them. Facts of what comes and goes are in the ledger."""

    def __init__(self, folder: Path, store: Store, clock: Clock) -> None:
        self._folder, self._db, self._space, self._clock = folder, store.hub, store.space, clock
        self._coming = 0
        self._all: dict[str, BoardImageView] = {}
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Read what there is."""
        self._all = await asyncio.to_thread(self._load)

    def all(self) -> list[BoardImageView]:
        """The newest first."""
        return sorted(self._all.values(), key=lambda one: one.added_at, reverse=True)

    def get(self, image: str) -> BoardImageView:
        """By its id, or the begin of it that only one has. Raises NotFound."""
        near = [one for one in self._all.values() if _ID.match(image) and one.id.startswith(image)]
        if len(near) != 1:
            raise NotFound(
                f"There is no board image {image[:64]!r} here.", hint="`outpost firmware images` lists them."
            )
        return near[0]

    async def read(self, image: str) -> BoardImage:
        """What it holds, checked anew. Raises NotFound, StorageDamaged."""
        view = self.get(image)
        data = await asyncio.to_thread(self._file(view.id).read_bytes)
        if hashlib.sha256(data).hexdigest() != view.id:
            raise StorageDamaged(f"The file of {view.name} is damaged.", hint="Remove it and send it again.")
        return await asyncio.to_thread(read_board_image, data)

    async def add(self, pieces: AsyncIterator[bytes], name: str, *, actor: str) -> BoardImageView:
        """Take a file in; the same content again is what there is.

        Raises BadFirmware, BadInput, Conflict, StorageFull.
        """
        if not 1 <= len(name) <= NAME_CHARS or not name.isprintable():
            raise BadInput(f"A board image needs a name of 1 to {NAME_CHARS} characters, such as its file's.")
        if self._coming >= COMING_MAX:
            raise Conflict(f"{COMING_MAX} uploads are under way.", hint="Wait for one of them to end.")
        self._space.require()
        self._coming += 1
        try:
            data = b"".join([piece async for piece in pieces])
            return await self._take(data, name, actor)
        finally:
            self._coming -= 1

    async def _take(self, data: bytes, name: str, actor: str) -> BoardImageView:
        image = await asyncio.to_thread(read_board_image, data)
        async with self._changing:
            view = BoardImageView(
                id=hashlib.sha256(data).hexdigest(),
                name=name,
                kind=image.kind.value,
                chip=image.chip.name,
                size=len(data),
                slots=image.slots,
                added_at=iso(self._clock.now().at_us),
                added_by=actor,
            )
            if view.id in self._all:
                return self._all[view.id]
            if len(self._all) >= IMAGES_MAX:
                raise Conflict(
                    f"There are {IMAGES_MAX} board images already.",
                    hint="Remove one: `outpost firmware images --remove ID`.",
                )
            try:
                await asyncio.to_thread(self._keep, view, data)
            except OSError as error:
                raise StorageFull(f"The file could not be kept: {error.strerror}.") from error
            self._all[view.id] = view
            body = {"name": name, "chip": view.chip, "by": actor}
            await self._db.write(lambda tx: tx.fact("board-image.added", view.id, **body))
            return view

    async def remove(self, image: str, *, actor: str) -> None:
        """Remove one. Raises NotFound."""
        async with self._changing:
            view = self.get(image)
            await self._db.write(lambda tx: tx.fact("board-image.removed", view.id, name=view.name, by=actor))
            del self._all[view.id]
            await asyncio.to_thread(self._drop, view.id)

    # -- files; the facts come last and go first, so that a file without them is none

    def _keep(self, view: BoardImageView, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for path, content in ((self._file(view.id), data), (self._facts(view.id), msgspec.json.encode(view))):
            draft = self._folder / f"coming-{secrets.token_hex(8)}"
            draft.write_bytes(content)
            settle(draft, path)

    def _drop(self, image: str) -> None:
        self._facts(image).unlink(missing_ok=True)
        self._file(image).unlink(missing_ok=True)

    def _load(self) -> dict[str, BoardImageView]:
        if not self._folder.is_dir():
            return {}
        found = {}
        for path in self._folder.glob("*.json"):
            try:
                view = msgspec.json.decode(path.read_bytes(), type=BoardImageView)
            except msgspec.DecodeError:
                continue
            if self._file(view.id).exists():
                found[view.id] = view
        named = {name for image in found for name in (self._file(image).name, self._facts(image).name)}
        for path in self._folder.iterdir():
            if path.name not in named:
                path.unlink()
        return found

    def _file(self, image: str) -> Path:
        return self._folder / f"{image}.bin"

    def _facts(self, image: str) -> Path:
        return self._folder / f"{image}.json"


BODY_MAX = IMAGE_MAX
"""Bytes of an upload."""
