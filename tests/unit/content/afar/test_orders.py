"""What head office publishes, over a real store: it waits for its pictures, for what it names, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.bus import Bus
from edge.clock import ManualClock, Quality
from edge.content.afar.orders import NEWER, TOO_OLD, ContentOrders
from edge.content.documents.documents import Documents
from edge.content.documents.holding import Holding
from edge.content.documents.model import hash_of, read
from edge.errors import BadInput, OutpostError, Rejected
from edge.store.database import Store
from edge.store.ledger import facts
from edge.store.transaction import Transaction, nothing
from edge.wire.centre_content import CONTENT_ORDER, ContentOrder, OrderedPicture
from edge.wire.content import DocumentKind
from tests.patience import AT_ONCE_S

LAYOUT, PLAYLIST = DocumentKind.LAYOUT, DocumentKind.PLAYLIST
ACTOR = "centre:ann"
SHA = "ab" * 32
BOX = {"x": 0, "y": 0, "w": 100, "h": 100}


class Here:
    """A site with nothing but the pictures that were fetched."""

    def __init__(self) -> None:
        self.held: set[str] = set()

    def has(self, sha256: str) -> bool:
        return sha256 in self.held

    def has_in(self, tx: Transaction, sha256: str) -> bool:
        return sha256 in self.held

    def has_device(self, named: str) -> bool:
        return False

    def nearest(self, named: str) -> str:
        return ""

    def bearers(self, named: str) -> Collection[str]:
        return []

    async def groups(self) -> Collection[str]:
        return []


class Line:
    """Fetches what is let through; `wrong` is what it says of the rest."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.wrong: OutpostError | None = None

    async def have(self, picture: OrderedPicture, actor: str) -> None:
        self.asked.append(picture.id)
        await self.open.wait()
        if self.wrong is not None:
            raise self.wrong
        self._here.held.add(picture.id)


class Site:
    """Documents and the orders for them. `running`: its own look at them, which begins anew with `restart`."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = Store(folder, Bus(), self.clock, free_floor_mb=0, ballast_mb=0)
        self.here = Here()
        self.line = Line(self.here)
        self.documents = Documents(self.store.hub, Holding(self.here, self.here))

    def begin(self) -> None:
        self.orders = ContentOrders(self.store.hub, self.clock, self.documents)
        self.orders.fetch_with(self.line)
        self.running = asyncio.ensure_future(self.orders.run())

    async def end(self) -> None:
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)

    async def order(self, number: int, kind: DocumentKind, name: str, body: Any, **more: Any) -> None:
        digest = hash_of(read(kind, body))
        told = {"title": "", "version": 1, "until_us": self.clock.now().at_us + 60_000_000, "bases": ("",), **more}
        order = ContentOrder(order=f"ct_{number}", kind=kind.value, id=name, hash=digest, body=body, **told)
        await self.orders.apply(msgspec.to_builtins(order), ACTOR, nothing)

    async def ends(self, count: int) -> list[tuple[str, str, str]]:
        """What became of so many orders: id, step and reason."""
        async with asyncio.timeout(AT_ONCE_S):
            while True:
                told = [fact for fact in await facts(self.store.hub, 0, 1000) if fact.kind == CONTENT_ORDER]
                if len(told) >= count:
                    bodies = [(fact.subject, msgspec.json.decode(fact.body)) for fact in told]
                    return [(subject, body["step"], body["reason"]) for subject, body in bodies]
                await asyncio.sleep(0.01)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    one = Site(tmp_path)
    await one.store.open()
    await one.documents.start()
    one.begin()
    yield one
    await one.end()
    await one.store.close()


def says(text: str, picture: str = "") -> dict[str, Any]:
    elements: list[dict[str, Any]] = [{"kind": "text", "box": BOX, "text": text}]
    if picture:
        elements.append({"kind": "picture", "box": BOX, "picture": picture})
    return {"elements": elements}


async def test_an_order_waits_for_its_picture_and_others_for_what_they_name(site: Site) -> None:
    picture = (OrderedPicture(id=SHA, size=9),)
    await site.order(1, LAYOUT, "poster", says("Poster", SHA), pictures=picture)
    await site.order(2, PLAYLIST, "day", {"entries": [{"layout": "poster"}]})
    await site.order(3, LAYOUT, "menu", says("Soup"))
    assert await site.ends(1) == [("ct_3", "applied", "")], "what needs nothing passes"
    await site.end()
    site.begin()  # a restart: nothing of it is forgotten
    site.line.open.set()
    assert [(item, step) for item, step, _ in (await site.ends(3))[1:]] == [
        ("ct_1", "applied"),
        ("ct_2", "applied"),
    ]
    assert site.documents.published(PLAYLIST, "day") is not None


async def test_a_newer_version_takes_the_place_of_one_that_waits(site: Site) -> None:
    await site.order(1, LAYOUT, "menu", says("Old", SHA), pictures=(OrderedPicture(id=SHA, size=9),))
    await site.order(2, LAYOUT, "menu", says("New"))
    assert await site.ends(2) == [("ct_1", "refused", NEWER), ("ct_2", "applied", "")]


async def test_what_cannot_be_is_refused_with_the_reason(site: Site) -> None:
    picture = (OrderedPicture(id=SHA, size=9),)
    site.line.wrong = Rejected("Head office has it no more.")
    await site.order(1, LAYOUT, "poster", says("Poster", SHA), pictures=picture)
    site.line.open.set()
    assert await site.ends(1) == [("ct_1", "refused", "Head office has it no more.")]
    await site.order(2, PLAYLIST, "day", {"entries": [{"layout": "nothing"}]})
    (_, (item, step, reason)) = await site.ends(2)
    assert (item, step, "nothing" in reason) == ("ct_2", "refused", True)
    with pytest.raises(BadInput, match="another document"):
        await site.orders.apply(
            {"order": "ct_3", "kind": "layout", "id": "menu", "title": "", "version": 1, "hash": "0" * 64,
             "body": says("Soup"), "until_us": 1}, ACTOR, nothing,
        )  # fmt: skip
    with pytest.raises(BadInput, match="does not know documents"):
        await site.orders.apply(
            {"order": "ct_4", "kind": "song", "id": "menu", "title": "", "version": 1, "hash": "0" * 64,
             "body": {}, "until_us": 1}, ACTOR, nothing,
        )  # fmt: skip


async def test_it_is_given_up_when_its_time_is_over_by_a_clock_that_was_set(site: Site) -> None:
    picture = (OrderedPicture(id=SHA, size=9),)
    await site.order(1, LAYOUT, "poster", says("Poster", SHA), pictures=picture, until_us=5)
    assert await site.ends(1) == [("ct_1", "refused", TOO_OLD)]
    site.clock.reboot(quality=Quality.NONE)
    await site.order(2, LAYOUT, "poster", says("Poster", SHA), pictures=picture, until_us=5)
    site.line.open.set()
    assert (await site.ends(2))[1] == ("ct_2", "applied", "")


async def test_what_somebody_here_has_published_is_a_conflict_and_both_are_kept(site: Site) -> None:
    saved = await site.documents.save(LAYOUT, "menu", says("Ours"), 0, "", actor="bob")
    await site.documents.publish(LAYOUT, "menu", revision=saved.standing.revision, actor="bob")
    await site.order(1, LAYOUT, "menu", says("Theirs"))
    ((_, step, reason),) = await site.ends(1)
    assert (step, "kept beside it" in reason) == ("conflict", True)
    body = msgspec.json.decode((await facts(site.store.hub, 0, 1000))[-1].body)
    assert (body["their_by"], body["their_us"] > 0) == ("bob", True)
    mine = hash_of(read(LAYOUT, says("Ours")))
    await site.order(2, LAYOUT, "menu", says("Theirs"), bases=("1" * 64, mine))
    assert (await site.ends(2))[1][1] == "applied"
