"""Documents over a real store: saved, published, gone back to, removed, and sent by head office."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.bus import Bus
from edge.clock import ManualClock
from edge.content.documents.documents import Documents
from edge.content.documents.events import DocumentChanged, DocumentPublished
from edge.content.documents.holding import Holding
from edge.content.documents.lifecycle import Became
from edge.content.documents.model import hash_of, read
from edge.errors import BadInput, Conflict, NotFound, OutpostError, Rejected
from edge.store.database import Store
from edge.store.ledger import facts
from edge.store.transaction import Transaction
from edge.wire.content import VERSIONS_KEPT, DocumentKind, Note

LAYOUT, PLAYLIST, SCHEDULE, SOURCE = DocumentKind
BOX = {"x": 0, "y": 0, "w": 100, "h": 100}
SHA = "ab" * 32
ACTOR = "tess"


def says(text: str) -> dict[str, Any]:
    return {"elements": [{"kind": "text", "box": BOX, "text": text}]}


class Here:
    """A site with one device, one group and one picture."""

    def has_device(self, named: str) -> bool:
        return bool(self.bearers(named))

    def nearest(self, named: str) -> str:
        return ""

    def bearers(self, named: str) -> Collection[str]:
        return ["d1"] if named in ("d1", "Hall 1") else []

    async def groups(self) -> Collection[str]:
        return ["halls"]

    def has(self, sha256: str) -> bool:
        return sha256 == SHA

    def has_in(self, tx: Transaction, sha256: str) -> bool:
        return self.has(sha256)


class Site:
    """Documents, and what was heard of them."""

    def __init__(self, folder: Path) -> None:
        self.bus, self.clock = Bus(), ManualClock()
        self.store = Store(folder, self.bus, self.clock, free_floor_mb=0, ballast_mb=0)
        self.documents = Documents(self.store.hub, Holding(Here(), Here()))
        self.heard = self.bus.subscribe()
        self.ends: list[OutpostError | None] = []

    async def put(self, kind: DocumentKind, name: str, body: Any, *, publish: bool = True) -> None:
        found = self.documents.find(kind, name)
        seen = found.standing.revision if found else 0
        kept = await self.documents.save(kind, name, body, seen, "", actor=ACTOR)
        if publish:
            await self.documents.publish(kind, name, revision=kept.standing.revision, actor=ACTOR)

    async def take(self, name: str, body: Any, base: str) -> Became:
        def end(tx: Transaction, detail: str = "", refused: OutpostError | None = None) -> None:
            tx.after(lambda: self.ends.append(refused))

        return await self.documents.take(LAYOUT, name, body, base, actor="centre:Ann", within=end)

    def shown(self, name: str) -> Any:
        found = self.documents.published(LAYOUT, name)
        return found and (msgspec.to_builtins(found[0])["elements"][0]["text"], found[1])

    async def told(self) -> list[tuple[str, str, dict[str, Any]]]:
        found = [one for one in await facts(self.store.hub, 0, 1000) if one.kind.startswith("content.")]
        return [(one.kind, one.subject, msgspec.json.decode(one.body)) for one in found]


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Site]:
    site = Site(folder)
    await site.store.open()
    try:
        await site.documents.start()
        yield site
    finally:
        await site.store.close()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with opened(tmp_path) as found:
        yield found


async def test_a_draft_is_seen_by_no_panel_until_it_is_published(site: Site, tmp_path: Path) -> None:
    await site.put(LAYOUT, "hall", says("one"), publish=False)
    assert site.shown("hall") is None
    assert await site.heard.get() == DocumentChanged(kind=LAYOUT, id="hall")
    await site.documents.publish(LAYOUT, "hall", revision=1, note="first", actor=ACTOR)
    assert site.shown("hall") == ("one", 1)
    assert await site.heard.get() == DocumentPublished(kind=LAYOUT, id="hall")
    await site.put(LAYOUT, "hall", says("two"), publish=False)
    assert site.shown("hall") == ("one", 1)
    draft = await site.documents.draft(LAYOUT, "hall")
    assert hash_of(draft) == hash_of(read(LAYOUT, says("two")))
    await site.store.close()
    async with opened(tmp_path) as again:
        assert again.shown("hall") == ("one", 1)
        kept = again.documents.get(LAYOUT, "hall")
        assert (kept.standing.revision, kept.standing.drafted, kept.published_by) == (2, True, ACTOR)
        assert hash_of(await again.documents.draft(LAYOUT, "hall")) == hash_of(draft)


async def test_who_saves_over_another_is_told_who_it_was(site: Site) -> None:
    await site.put(LAYOUT, "hall", says("one"), publish=False)
    await site.documents.save(LAYOUT, "hall", says("two"), 1, "Hall", actor="ben")
    with pytest.raises(Conflict, match=r"changed by ben at 20\d\d-.*revision 2 now") as caught:
        await site.documents.save(LAYOUT, "hall", says("three"), 1, "", actor=ACTOR)
    assert "`outpost content show layout hall`" in caught.value.advice
    with pytest.raises(Conflict, match="changed by ben"):
        await site.documents.save(LAYOUT, "hall", says("three"), 0, "", actor=ACTOR)
    with pytest.raises(Conflict, match="changed by ben"):
        await site.documents.publish(LAYOUT, "hall", revision=1, actor=ACTOR)
    assert hash_of(await site.documents.draft(LAYOUT, "hall")) == hash_of(read(LAYOUT, says("two")))
    assert site.documents.get(LAYOUT, "hall").title == "Hall"


async def test_publishing_the_same_again_is_no_new_version_and_going_back_is(site: Site) -> None:
    await site.put(LAYOUT, "hall", says("one"))
    await site.documents.publish(LAYOUT, "hall", revision=1, actor=ACTOR)
    await site.put(LAYOUT, "hall", says("two"))
    await site.documents.publish(LAYOUT, "hall", version=1, note="it was better", actor="ben")
    assert site.shown("hall") == ("one", 3)
    kept = site.documents.get(LAYOUT, "hall")
    assert not kept.standing.drafted, "nobody was writing: the draft went back too"
    found = await site.documents.versions(kept, None, 10)
    assert [(one.version, one.by, one.note, one.back_to) for one in found] == [
        (3, "ben", "it was better", 1),
        (2, ACTOR, "", 0),
        (1, ACTOR, "", 0),
    ]
    one, two = (hash_of(read(LAYOUT, says(text))) for text in ("one", "two"))
    told = [
        {"kind": "layout", "version": 1, "hash": one, "by": ACTOR, "back_to": 0},
        {"kind": "layout", "version": 2, "hash": two, "by": ACTOR, "back_to": 0},
        {"kind": "layout", "version": 3, "hash": one, "by": "ben", "back_to": 1},
    ]
    assert await site.told() == [("content.published", "hall", body) for body in told]
    with pytest.raises(NotFound, match="has no version 9"):
        await site.documents.publish(LAYOUT, "hall", version=9, actor=ACTOR)
    for both in ({}, {"revision": 3, "version": 1}):
        with pytest.raises(BadInput, match="Say what is published"):
            await site.documents.publish(LAYOUT, "hall", **both, actor=ACTOR)


async def test_what_does_not_hold_is_not_published(site: Site) -> None:
    elements = [
        {"kind": "source", "box": BOX, "source": "weather"},
        {"kind": "picture", "box": BOX, "picture": "cd" * 32},
        {"kind": "picture", "box": BOX, "picture": SHA},
        {"kind": "value", "box": BOX, "device": "elsewhere", "key": "t"},
        {"kind": "value", "box": {**BOX, "w": 0}, "device": "Hall 1", "key": "t"},
    ]
    site.documents.check_with(lambda layout: [Note(element=4, level="error", text="Too small to read.")])
    await site.put(LAYOUT, "hall", {"elements": elements}, publish=False)
    with pytest.raises(Rejected) as caught:
        await site.documents.publish(LAYOUT, "hall", revision=1, actor=ACTOR)
    assert caught.value.detail == (
        "Layout hall cannot be published: Element 1: The source weather is not there. Element 2: The picture"
        " cdcdcdcdcdcd… is not held here; upload it first. Element 5: Its box has no width or no height, so nothing"
        " of it would be seen. Element 5: Too small to read."
    )
    body = await site.documents.draft(LAYOUT, "hall")
    (warning,) = (note for note in await site.documents.notes(LAYOUT, "hall", body) if note.level == "warning")
    assert (warning.element, warning.text) == (3, "No device here is called elsewhere.")
    assert site.shown("hall") is None
    await site.put(PLAYLIST, "turns", {"entries": [{"layout": "hall"}]}, publish=False)
    with pytest.raises(Rejected, match="Entry 1: The layout hall is not published yet"):
        await site.documents.publish(PLAYLIST, "turns", revision=1, actor=ACTOR)


async def test_a_schedule_says_whom_it_does_not_know_and_who_is_named_twice(site: Site) -> None:
    await site.put(LAYOUT, "hall", says("one"))
    rules = [{"layout": "hall"}]
    await site.put(SCHEDULE, "all", {"devices": ["d1", "later"], "groups": ["halls", "none"], "rules": rules})
    await site.put(SCHEDULE, "weekend", {"devices": ["Hall 1"], "rules": rules})
    assert list(site.documents.all_published(SCHEDULE)) == ["all", "weekend"]
    first = await site.documents.notes(SCHEDULE, "all", await site.documents.draft(SCHEDULE, "all"))
    assert [(note.level, note.text) for note in first] == [
        ("warning", "No device here is called later."),
        ("warning", "There is no group none here."),
        ("warning", "The schedule weekend names d1 as well: for it all counts alone, the first by name."),
    ]


async def test_what_is_named_stays(site: Site) -> None:
    await site.put(LAYOUT, "hall", {"elements": [{"kind": "picture", "box": BOX, "picture": SHA}]})
    await site.put(PLAYLIST, "turns", {"entries": [{"layout": "hall"}]})
    await site.put(SCHEDULE, "all", {"rules": [{"playlist": "turns"}, {"layout": "hall"}]})
    assert site.documents.users_of_picture(SHA) == [(LAYOUT, "hall")]
    assert site.documents.pictures() == {SHA: 1}
    with pytest.raises(Conflict, match="named by what is published: playlist turns, schedule all"):
        await site.documents.remove(LAYOUT, "hall", actor=ACTOR)
    for kind, name in ((SCHEDULE, "all"), (PLAYLIST, "turns"), (LAYOUT, "hall")):
        await site.documents.remove(kind, name, actor=ACTOR)
    assert site.documents.all() == []
    assert site.shown("hall") is None
    assert (await site.told())[-1] == (
        "content.removed",
        "hall",
        {"kind": "layout", "version": 1, "by": ACTOR},
    )
    with pytest.raises(NotFound, match="no layout 'hall'"):
        await site.documents.remove(LAYOUT, "hall", actor=ACTOR)
    await site.put(LAYOUT, "hall", says("anew"))
    assert site.shown("hall") == ("anew", 2), "a receipt of version 1 means what it meant"


async def test_old_versions_go_but_never_the_published_one(site: Site) -> None:
    await site.put(LAYOUT, "hall", says("first"))
    first = hash_of(read(LAYOUT, says("first")))
    for number in range(VERSIONS_KEPT + 3):
        assert await site.take("hall", says(str(number)), "0" * 64) is Became.CONFLICT
    kept = site.documents.get(LAYOUT, "hall")
    found = await site.documents.versions(kept, None, 100)
    assert (len(found), found[0].version, found[-1].version) == (VERSIONS_KEPT, VERSIONS_KEPT + 4, 1)
    assert kept.standing.version_hash == first


async def test_head_office_publishes_over_what_it_knew(site: Site) -> None:
    assert await site.take("hall", says("one"), "") is Became.PUBLISHED
    assert site.shown("hall") == ("one", 1)
    one = site.documents.hash_of(LAYOUT, "hall")
    await site.put(LAYOUT, "hall", says("mine"), publish=False)
    assert await site.take("hall", says("two"), one) is Became.PUBLISHED
    assert site.shown("hall") == ("two", 2)
    assert hash_of(await site.documents.draft(LAYOUT, "hall")) == hash_of(read(LAYOUT, says("mine")))
    assert await site.take("hall", says("two"), "f" * 64) is Became.SAME
    assert site.ends == [None, None, None]
    assert site.documents.get(LAYOUT, "hall").published_by == "centre:Ann"
    assert [body["by"] for _, _, body in await site.told()] == ["centre:Ann", "centre:Ann"]


async def test_what_head_office_did_not_know_of_stays_on_the_panels(site: Site) -> None:
    await site.put(LAYOUT, "hall", says("ours"))
    assert await site.take("hall", says("theirs"), "") is Became.CONFLICT
    assert site.shown("hall") == ("ours", 1)
    (refused,) = site.ends
    assert isinstance(refused, Conflict)
    assert refused.detail.startswith("Layout hall was published here meanwhile; what was sent is kept beside it as")
    kept = site.documents.get(LAYOUT, "hall")
    assert (kept.standing.conflict, kept.standing.drafted) == (2, False)
    assert "layout hall" in " ".join(site.documents.problems()).lower()
    await site.documents.publish(LAYOUT, "hall", version=2, actor=ACTOR)
    assert site.shown("hall") == ("theirs", 3)
    assert site.documents.get(LAYOUT, "hall").standing.conflict == 0
    assert site.documents.problems() == []
    assert await site.take("hall", says("again"), "") is Became.CONFLICT
    await site.documents.publish(LAYOUT, "hall", revision=2, actor=ACTOR)
    assert (site.shown("hall"), site.documents.problems()) == (("theirs", 3), [])


async def test_an_order_that_does_not_hold_does_nothing(site: Site) -> None:
    with pytest.raises(Rejected, match="The source weather is not there"):
        await site.take("hall", {"elements": [{"kind": "source", "box": BOX, "source": "weather"}]}, "")
    with pytest.raises(BadInput, match="`new_thing` is not known"):
        await site.take("hall", {"new_thing": 1}, "")
    assert (site.ends, site.documents.all()) == ([], [])


async def test_what_cannot_be_read_is_told_and_not_shown(site: Site, tmp_path: Path) -> None:
    await site.put(LAYOUT, "hall", says("one"))
    await site.put(LAYOUT, "door", says("two"))
    await site.store.hub.write(
        lambda tx: tx.execute("UPDATE document_versions SET body = '{\"later\":1}' WHERE id = 'hall'")
    )
    await site.store.close()
    async with opened(tmp_path) as again:
        assert (again.shown("hall"), again.shown("door")) == (None, ("two", 1))
        (problem,) = again.documents.problems()
        assert problem.startswith("Layout hall is published, but this version of Outpost cannot read it")
        await again.put(LAYOUT, "hall", says("three"))
        assert (again.shown("hall"), again.documents.problems()) == (("three", 2), [])


async def test_head_office_may_know_of_several_versions(site: Site) -> None:
    await site.put(LAYOUT, "hall", says("one"))
    known = ["0" * 64, site.documents.hash_of(LAYOUT, "hall")]

    def end(tx: Transaction, detail: str = "", refused: OutpostError | None = None) -> None:
        assert refused is None

    taken = await site.documents.take(LAYOUT, "hall", says("two"), known, actor="centre:Ann", within=end)
    assert (taken, site.shown("hall")) == (Became.PUBLISHED, ("two", 2))
