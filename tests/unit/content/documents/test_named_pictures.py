"""What is published names pictures that are there, whoever is faster: real library, real documents, real SQLite."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Collection
from pathlib import Path

from PIL import Image

from edge.bus import Bus
from edge.clock import ManualClock
from edge.content.documents.documents import Documents
from edge.content.documents.holding import Holding
from edge.content.intake.normal import Kept, normalised
from edge.content.library.library import Library
from edge.errors import Conflict, OutpostError, Rejected
from edge.store.database import Store
from edge.store.transaction import Transaction
from edge.wire.content import DocumentKind

LAYOUT = DocumentKind.LAYOUT
BOX = {"x": 0, "y": 0, "w": 100, "h": 100}
ROUNDS = 6


class Nobody:
    """A site without devices."""

    def has_device(self, named: str) -> bool:
        return False

    def nearest(self, named: str) -> str:
        return ""

    def bearers(self, named: str) -> Collection[str]:
        return []

    async def groups(self) -> Collection[str]:
        return []


async def here(data: bytes) -> Kept:
    return normalised(data)


def picture(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (20, 20), shade).save(out, "PNG")
    return out.getvalue()


def end(tx: Transaction, detail: str = "", refused: OutpostError | None = None) -> None:
    """An order of head office is done."""


async def test_a_picture_goes_or_a_document_that_names_it_is_published_never_both(tmp_path: Path) -> None:
    store = Store(tmp_path, Bus(), ManualClock(), free_floor_mb=0, ballast_mb=0)
    await store.open()
    library = Library(store, here, pictures_mb=16)
    documents = Documents(store.hub, Holding(library, Nobody()))
    library.ask_uses(lambda sha256: len(documents.users_of_picture(sha256)), documents.users_of_picture_in)
    try:
        await library.start()
        await documents.start()
        for number in range(2 * ROUNDS):
            sha256 = (await library.take(picture(number), "", actor="me")).id
            name, body = f"l{number}", {"elements": [{"kind": "picture", "box": BOX, "picture": sha256}]}
            if number % 2:
                coming = documents.take(LAYOUT, name, body, "", actor="centre:ann", within=end)
            else:
                kept = await documents.save(LAYOUT, name, body, 0, "", actor="me")
                coming = documents.publish(LAYOUT, name, revision=kept.standing.revision, actor="me")
            both = [coming, library.remove(sha256, actor="me")]
            if number % 4 > 1:
                both.reverse()
            ended = await asyncio.gather(*both, return_exceptions=True)
            refused = [one for one in ended if isinstance(one, BaseException)]
            assert [type(one) in (Rejected, Conflict) for one in refused] == [True]
            assert library.has(sha256) is (documents.published(LAYOUT, name) is not None)
    finally:
        await store.close()


async def test_a_picture_that_a_text_alone_spells_out_may_go(tmp_path: Path) -> None:
    store = Store(tmp_path, Bus(), ManualClock(), free_floor_mb=0, ballast_mb=0)
    await store.open()
    library = Library(store, here, pictures_mb=16)
    documents = Documents(store.hub, Holding(library, Nobody()))
    library.ask_uses(lambda sha256: len(documents.users_of_picture(sha256)), documents.users_of_picture_in)
    try:
        await library.start()
        sha256 = (await library.take(picture(1), "", actor="me")).id
        body = {"elements": [{"kind": "text", "box": BOX, "text": sha256}]}
        await documents.save(LAYOUT, "l", body, 0, "", actor="me")
        await documents.publish(LAYOUT, "l", revision=1, actor="me")
        await library.remove(sha256, actor="me")
        assert library.all() == []
    finally:
        await store.close()
