"""Pictures are kept whole or not at all, once each, and what is damaged is not shown. Real files, real SQLite."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from edge.bus import Bus
from edge.clock import ManualClock
from edge.content.intake.normal import Kept, normalised
from edge.content.library import library as module
from edge.content.library import store as sql
from edge.content.library.files import ASIDE, PictureFiles
from edge.content.library.library import Library
from edge.content.library.pixels import Decoded
from edge.errors import BadInput, BadPicture, Conflict, NotFound, StorageDamaged, StorageError, StorageFull
from edge.store.database import Store
from edge.wire.content import PictureView

RED, BLUE = "red", "blue"


async def here(data: bytes) -> Kept:
    """What the process for uploads does, here: its own tests are in tests/unit/content/intake."""
    return await asyncio.to_thread(normalised, data)


def file(colour: str = RED, size: tuple[int, int] = (60, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "BMP")
    return out.getvalue()


class Site:
    """A library over a real store, which can be opened again as after a power cut."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pictures = folder, folder / "pictures"
        self.clock = ManualClock()

    async def open(self, *, pictures_mb: int = 256) -> Library:
        self.store = Store(self.folder, Bus(), self.clock, free_floor_mb=0, ballast_mb=0)
        await self.store.open()
        self.library = Library(self.store, here, pictures_mb=pictures_mb)
        await self.library.start()
        return self.library

    async def again(self) -> Library:
        await self.store.close()
        return await self.open()

    def files(self) -> set[str]:
        """Those in the folder, but for where what nothing names is set aside."""
        return {path.name for path in self.pictures.iterdir() if path.name != ASIDE}

    async def facts(self) -> list[tuple[str, str, str]]:
        rows = await self.store.hub.read("SELECT kind, subject, body FROM ledger WHERE kind LIKE 'picture.%'")
        return [(row[0], row[1], row[2]) for row in rows]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    await made.open()
    yield made
    await made.store.close()


async def take(site: Site, data: bytes | None = None, name: str = "sign") -> PictureView:
    return await site.library.take(file() if data is None else data, name, actor="key:me")


async def test_what_is_taken_is_kept_by_its_hash_and_handed_out(site: Site) -> None:
    made = await take(site)
    kept = site.library.read(made.id)
    assert hashlib.sha256(kept).hexdigest() == made.id
    assert (made.name, made.width, made.height, made.size) == ("sign", 60, 40, len(kept))
    assert (made.colour, made.notes, made.by, made.used_by) == (True, [], "key:me", 0)
    image = site.library.image(made.id)
    assert (image.mode, image.size, image.getpixel((5, 5))) == ("RGB", (60, 40), (255, 0, 0))
    assert site.library.image(made.id) is image
    assert site.library.get(made.id[:8]).sha256 == made.id
    assert site.files() == {made.id}
    assert await site.facts() == [("picture.added", made.id, f'{{"by":"key:me","size":{made.size}}}')]
    library = await site.again()
    assert [library.view(one) for one in library.all()] == [made]
    assert library.image(made.id).tobytes() == image.tobytes()


async def test_the_same_picture_is_the_same(site: Site) -> None:
    first, second = await asyncio.gather(take(site), take(site, name="another name"))
    assert first == second
    assert (len(site.files()), len(await site.facts())) == (1, 1)
    other = await take(site, file(BLUE))
    assert [one.sha256 for one in site.library.all()] == [other.id, first.id]


async def test_names(site: Site) -> None:
    assert (await take(site, name="  Way\tout ")).name == "Way out"
    for name in ("x" * 65, "bell\a", "\u202egnp.exe"):
        with pytest.raises(BadInput, match="name"):
            await take(site, name=name)
    with pytest.raises(NotFound, match="no picture"):
        site.library.get("nothing")
    assert site.library.image("0" * 64) is None
    assert not site.library.has("0" * 64)


async def test_what_a_document_names_stays(site: Site) -> None:
    made, uses = await take(site), 2
    site.library.ask_uses(
        lambda sha256: uses if sha256 == made.id else 0, lambda tx, sha256: uses if sha256 == made.id else 0
    )
    with pytest.raises(Conflict, match="2 published documents name"):
        await site.library.remove(made.id, actor="key:me")
    assert site.library.view(site.library.get(made.id)).used_by == 2
    uses = 0
    await site.library.remove(made.id[:12], actor="key:me")
    assert (site.files(), site.library.all(), site.library.image(made.id)) == (set(), [], None)
    assert [fact[0] for fact in await site.facts()] == ["picture.added", "picture.removed"]
    again = await take(site)
    assert again.id == made.id
    assert site.library.get(made.id).number == 2  # numbers are not used twice: pages rely on it


@pytest.mark.parametrize("how", ["gone", "cut off", "another", "empty"])
async def test_what_is_damaged_is_told_and_not_shown_and_mended(site: Site, how: str) -> None:
    made = await take(site)
    path = site.pictures / made.id
    kept = path.read_bytes()
    library = await site.again()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut off": kept[:-9], "another": kept.replace(b"IDAT", b"IDOT"), "empty": b""}[how])
    assert library.image(made.id) is None
    with pytest.raises(StorageDamaged, match="damaged or gone"):
        library.read(made.id)
    assert len(library.problems()) == 1
    assert "sign" in library.problems()[0]
    if how == "gone":
        library = await site.again()
        assert len(library.problems()) == 1, "told after a start before anybody asked"
    assert await take(site) == made
    assert (library.read(made.id), library.problems()) == (kept, [])
    assert library.image(made.id) is not None


async def test_a_full_library_takes_nothing_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await take(site)
    await site.store.close()
    library = await site.open(pictures_mb=0)
    with pytest.raises(StorageFull, match=r"content\.pictures_mb"):
        await take(site, file(BLUE))
    assert await take(site) == made
    await site.again()
    monkeypatch.setattr(module, "PICTURES_MAX", 1)
    with pytest.raises(Conflict, match="1 pictures are held"):
        await take(site, file(BLUE))
    assert site.files() == {made.id}
    assert len(library.all()) == 1


@pytest.mark.parametrize(
    ("step", "fault", "raised"),
    [("write_bytes", errno.ENOSPC, StorageFull), ("write_bytes", errno.EIO, StorageError),
     ("rename", errno.EDQUOT, StorageFull)],
)  # fmt: skip
async def test_a_full_disk_keeps_nothing_half(
    site: Site, monkeypatch: pytest.MonkeyPatch, step: str, fault: int, raised: type[StorageError]
) -> None:
    with monkeypatch.context() as broken:

        def fail(path: Path, data: object) -> None:
            if step == "write_bytes":
                path.touch()
            raise OSError(fault, os.strerror(fault))

        broken.setattr(Path, step, fail)
        with pytest.raises(raised):
            await take(site)
    assert (site.files(), site.library.all(), await site.facts()) == (set(), [], [])
    assert (await take(site)).id in site.files()


async def test_where_the_row_cannot_be_written_the_file_goes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StorageFull("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(sql, "insert", full)
        with pytest.raises(StorageFull):
            await take(site)
    assert (site.files(), site.library.all()) == (set(), [])


async def test_a_power_cut_between_file_and_row_leaves_nothing_that_shows(site: Site) -> None:
    made = await take(site)
    for left in ("0" * 64, f"{made.id}.new", f"{'1' * 64}.new"):
        (site.pictures / left).write_bytes(b"half")
    (site.pictures / "lost+found").mkdir()  # the disk's own
    library = await site.again()
    assert site.files() == {made.id, "lost+found"}
    assert [one.sha256 for one in library.all()] == [made.id]
    assert library.problems() == []


async def test_with_a_database_that_does_not_name_them_pictures_are_set_aside_and_come_back(site: Site) -> None:
    made = await take(site)
    files = PictureFiles(site.pictures)
    assert files.open([]) == set(), "an older database, from a backup"
    assert site.files() == set()
    assert files.open([made.id]) == set()
    library = await site.again()
    assert (library.problems(), library.image(made.id) is not None) == ([], True)
    files.open([])
    os.utime(site.pictures / ASIDE / made.id, (0, 0))  # set aside for good
    files.open([])
    assert files.open([made.id]) == {made.id}


async def test_what_is_no_picture_leaves_nothing(site: Site) -> None:
    with pytest.raises(BadPicture, match="PDF"):
        await take(site, b"%PDF-1.7")
    assert (site.files(), await site.facts()) == (set(), [])


def test_so_many_pixels_are_kept_decoded() -> None:
    at_hand = Decoded(most_pixels=300)
    for name in ("a", "b", "c"):
        at_hand.keep(name, Image.new("L", (10, 10)))
    assert at_hand.get("a") is not None
    at_hand.keep("d", Image.new("L", (10, 10)))
    assert [name for name in "abcd" if at_hand.get(name) is not None] == ["a", "c", "d"]
    at_hand.keep("d", Image.new("L", (10, 10)))
    assert at_hand.get("a") is not None
    at_hand.drop("a")
    assert at_hand.get("a") is None
    at_hand.keep("large", Image.new("L", (100, 100)))
    assert [name for name in ("a", "c", "d", "large") if at_hand.get(name) is not None] == []
