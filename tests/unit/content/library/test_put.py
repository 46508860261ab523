"""Pictures of head office: kept as they are under their hash there, if they are as this hub would keep them."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from edge.bus import Bus
from edge.clock import ManualClock
from edge.content.intake.normal import Kept, normalised
from edge.content.library.library import Library
from edge.errors import BadPicture
from edge.store.database import Store

ACTOR = "centre:ann"


async def here(data: bytes) -> Kept:
    return await asyncio.to_thread(normalised, data)


def file(kind: str, size: int = 60) -> bytes:
    out = io.BytesIO()
    Image.effect_noise((size, size), 60).save(out, kind)
    return out.getvalue()


def name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


BMP, LARGE = file("BMP"), file("PNG", 1700)


async def test_what_head_office_kept_is_kept_here_byte_for_byte(tmp_path: Path) -> None:
    store = Store(tmp_path, Bus(), ManualClock(), free_floor_mb=0, ballast_mb=0)
    await store.open()
    library = Library(store, here, pictures_mb=256)
    await library.start()
    for kind in ("PNG", "JPEG"):
        data = normalised(file(kind)).data
        view = await library.put(data, name(data), "From afar", actor=ACTOR)
        assert (view.id, view.name, view.by, library.read(view.id)) == (name(data), "From afar", ACTOR, data)
        assert (await library.put(data, name(data), "Again", actor=ACTOR)).name == "From afar", "once"
    good, photo = normalised(file("PNG")).data, normalised(file("JPEG")).data
    told = io.BytesIO()
    Image.new("L", (9, 9)).save(told, "JPEG", comment=b"where I live")
    for data, of in (
        (good, "0" * 64),  # another picture than it says
        (BMP, name(BMP)),  # a form that is not kept
        (LARGE, name(LARGE)),  # larger than is kept
        (b"<svg/>", name(b"<svg/>")),
        *((more, name(more)) for more in (good + b"<script>", photo + b"PK", told.getvalue())),  # more than pixels
    ):
        with pytest.raises(BadPicture):
            await library.put(data, of, "", actor=ACTOR)
    assert len(library.all()) == 2
    await store.close()
