"""The pictures that people have uploaded: looked at in a process of their own, kept once each, handed out.

All of it is in memory but the files. A change is one transaction with its fact. A file comes before the row that
names it and goes after it, so a power cut leaves at most a file that nobody names; the next start sets it aside.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable

import msgspec
from PIL import Image

from edge.clock import iso
from edge.content.intake.normal import Kept
from edge.content.library import store as sql
from edge.content.library.bare_files import PNG, is_bare
from edge.content.library.events import PictureChanged
from edge.content.library.files import FOLDER, PictureFiles
from edge.content.library.model import Picture
from edge.content.library.pixels import Decoded, decoded
from edge.errors import BadInput, BadPicture, Conflict, NotFound, StorageDamaged, StorageError, StorageFull
from edge.store.database import Store
from edge.store.transaction import Transaction
from edge.wire.content import PictureView
from edge.wire.layouts import NAME_CHARS

PICTURES_MAX = 2000
MB = 1024 * 1024
_ID = re.compile(r"[0-9a-f]{8,64}\Z")
Normalise = Callable[[bytes], Awaitable[Kept]]
"""A file of any kind that is taken, as it is kept. Raises BadPicture, TooLarge, Busy, Unreachable."""


class Library:
    """Every picture, by the SHA-256 of what is kept of it. `normalised` opens strangers' files."""

    def __init__(self, store: Store, normalised: Normalise, *, pictures_mb: int) -> None:
        self._db, self._space, self._boots = store.hub, store.space, store.boots
        self._normalised = normalised
        self._files = PictureFiles(store.directory / FOLDER)
        self._room = pictures_mb * MB
        self._all: dict[str, Picture] = {}  # in the order they came
        self._damaged: set[str] = set()
        self._decoded = Decoded()
        self._uses: Callable[[str], int] = lambda sha256: 0
        self._uses_in: Callable[[Transaction, str], int] = lambda tx, sha256: 0
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Load all, and remove what a power cut has left."""
        self._all = {one.sha256: one for one in await self._db.write(sql.load)}
        self._damaged = await asyncio.to_thread(self._files.open, list(self._all))

    def ask_uses(self, uses: Callable[[str], int], uses_in: Callable[[Transaction, str], int]) -> None:
        """How many published documents name a picture: `uses` as of now, `uses_in` in the transaction that would
        remove it."""
        self._uses, self._uses_in = uses, uses_in

    def all(self) -> list[Picture]:
        """All, newest first."""
        return list(reversed(self._all.values()))

    def stored_bytes(self) -> int:
        """What all files take."""
        return sum(one.size for one in self._all.values())

    def has(self, sha256: str) -> bool:
        """Whether there is such a picture."""
        return sha256 in self._all

    def has_in(self, tx: Transaction, sha256: str) -> bool:
        """The same in a transaction: the removal of a picture that it names is before it or after it."""
        return sql.has(tx, sha256)

    def sound(self, sha256: str) -> bool:
        """Whether there is such a picture, and its file could be opened when somebody last tried."""
        return sha256 in self._all and sha256 not in self._damaged

    def get(self, picture: str) -> Picture:
        """By its id, or a begin of it that fits no other. Raises NotFound."""
        found = self._all.get(picture)
        if found is None and _ID.match(picture):
            near = [one for one in self._all.values() if one.sha256.startswith(picture)]
            found = near[0] if len(near) == 1 else None
        if found is None:
            raise _unknown(picture)
        return found

    def read(self, sha256: str) -> bytes:
        """Its file, a PNG or JPEG, whole. It waits on the disk, and threads may ask at the same time.

        Raises NotFound, StorageDamaged.
        """
        if not self.has(sha256):
            raise _unknown(sha256)
        try:
            data = self._files.read(sha256)
        except StorageDamaged:
            self._damaged.add(sha256)
            raise
        self._damaged.discard(sha256)
        return data

    def image(self, sha256: str) -> Image.Image | None:
        """It as pixels, mode "L" or "RGB"; nobody may change it. None when it is not there, or damaged.

        It waits on the disk, and threads may ask at the same time.
        """
        image = self._decoded.get(sha256)
        if image is None and self.has(sha256):
            try:
                image = decoded(self.read(sha256))
            except (StorageDamaged, NotFound):
                return None
            self._decoded.keep(sha256, image)
        return image if self.has(sha256) else None

    async def take(self, data: bytes, name: str, *, actor: str) -> PictureView:
        """Keep the picture in `data`, a file of any kind that is taken, under `name`. What is there already keeps
        its name, and has its file mended.

        Raises BadInput, BadPicture, TooLarge, Busy, Conflict, StorageFull.
        """
        name = " ".join(name.split())
        if len(name) > NAME_CHARS or not name.isprintable():
            raise BadInput(f"A picture's name has at most {NAME_CHARS} characters, all of them printable.")
        self._space.require()
        kept = await self._normalised(data)
        sha256 = hashlib.sha256(kept.data).hexdigest()
        async with self._changing:
            known = self._all.get(sha256)
            if known is not None:
                await self._mend(known, kept)
                return self.view(known)
            self._require_room(len(kept.data))
            await asyncio.to_thread(self._files.put, sha256, kept.data)
            return self.view(await self._insert_or_drop(sha256, name, kept, actor))

    async def put(self, data: bytes, sha256: str, name: str, *, actor: str) -> PictureView:
        """Keep a picture of head office as it is, under its hash there. It is looked at here as everybody's is, and
        kept only if it is what Outpost itself would keep: upright, plain, no larger than panels can use.

        Raises BadInput, BadPicture, TooLarge, Busy, Conflict, StorageFull.
        """
        if hashlib.sha256(data).hexdigest() != sha256:
            raise BadPicture("the picture is another one than its name says")
        self._space.require()
        found = await self._normalised(data)
        if found.notes or not is_bare(data):
            why = found.notes[0] if found.notes else "It is no PNG or JPEG of pixels alone."
            raise BadPicture(f"the picture is not as Outpost keeps them: {why}")
        kept = msgspec.structs.replace(found, data=data, kind="png" if data.startswith(PNG) else "jpeg")
        name = " ".join(name.split())[:NAME_CHARS]
        async with self._changing:
            known = self._all.get(sha256)
            if known is not None:
                await self._mend(known, kept)
                return self.view(known)
            self._require_room(len(data))
            await asyncio.to_thread(self._files.put, sha256, data)
            return self.view(await self._insert_or_drop(sha256, name if name.isprintable() else "", kept, actor))

    async def remove(self, picture: str, *, actor: str) -> None:
        """Remove one with its file. Raises NotFound, Conflict while a published document names it."""
        async with self._changing:
            found = self.get(picture)

            def work(tx: Transaction) -> None:
                if uses := self._uses_in(tx, found.sha256):
                    raise Conflict(
                        f"{uses} published {'document names' if uses == 1 else 'documents name'} this picture.",
                        hint="Publish them without it first, or remove them.",
                    )
                sql.remove(tx, found, actor)
                tx.after(lambda: self._forget(found))
                tx.tell(PictureChanged(picture=found.sha256))

            await self._db.write(work)
            await asyncio.to_thread(self._files.drop, found.sha256)

    def problems(self) -> list[str]:
        """Pictures whose files are damaged or gone."""
        broken = (self._all[sha256] for sha256 in sorted(self._damaged) if sha256 in self._all)
        return [
            f"The picture {one.name or 'without a name'} ({one.sha256[:16]}) is damaged or gone and is not shown."
            " Upload it again, and check the disk."
            for one in broken
        ]

    def view(self, picture: Picture) -> PictureView:
        """One as the API shows it."""
        return PictureView(
            id=picture.sha256,
            name=picture.name,
            width=picture.width,
            height=picture.height,
            size=picture.size,
            colour=picture.colour,
            notes=list(picture.notes),
            at=iso(self._boots.when(picture.at_us, picture.clock)),
            by=picture.by,
            used_by=self._uses(picture.sha256),
        )

    def _require_room(self, size: int) -> None:
        """Raise Conflict or StorageFull where no picture of so many bytes may be added."""
        if len(self._all) >= PICTURES_MAX:
            raise Conflict(f"{PICTURES_MAX} pictures are held.", hint="Remove some that nothing shows.")
        if self.stored_bytes() + size > self._room:
            raise StorageFull(
                f"All pictures together may take {self._room // MB} MB (content.pictures_mb).",
                hint="Remove some that nothing shows: `outpost content picture list`.",
            )
        if size > self._space.spare_bytes():
            raise StorageFull("The hub's disk has no room for the picture.")

    async def _mend(self, known: Picture, kept: Kept) -> None:
        """Put its file right where that is damaged or gone, and tell whoever shows it."""
        try:
            await asyncio.to_thread(self.read, known.sha256)
        except StorageDamaged:
            await asyncio.to_thread(self._files.put, known.sha256, kept.data)
            self._damaged.discard(known.sha256)
            await self._db.write(lambda tx: tx.tell(PictureChanged(picture=known.sha256)))

    async def _insert_or_drop(self, sha256: str, name: str, kept: Kept, actor: str) -> Picture:
        """Its row; its file goes again where the row cannot be written."""

        def work(tx: Transaction) -> Picture:
            new = sql.insert(tx, sha256, name, kept, actor)
            tx.after(lambda: self._remember(new))
            tx.tell(PictureChanged(picture=sha256))
            return new

        try:
            return await self._db.write(work)
        except StorageError:
            await asyncio.to_thread(self._files.drop, sha256)
            raise

    def _remember(self, picture: Picture) -> None:
        self._all[picture.sha256] = picture

    def _forget(self, picture: Picture) -> None:
        self._all.pop(picture.sha256, None)
        self._damaged.discard(picture.sha256)
        self._decoded.drop(picture.sha256)


def _unknown(picture: str) -> NotFound:
    return NotFound(
        f"There is no picture {picture[:64]!r} here.", hint="`outpost content picture list` shows what there is."
    )
