"""What an editor shows of a document before anybody else sees it: a layout drawn, a playlist's turns in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from cloud.analytics.rollups import zone_named
from cloud.web.content.asking import document
from cloud.web.content.choices import Look
from cloud.web.content.forms import Body
from cloud.web.frame import Visit
from edge.content.documents import model
from edge.content.showing.plan import Screen, turn
from edge.errors import Forbidden, NotFound, OutpostError
from edge.serving.roles import Role
from edge.wire.centre import SiteView
from edge.wire.content import CheckedLayout, DocumentKind, Note
from edge.wire.playlists import Playlist, Rule, Schedule

TURNS = 6  # that are told ahead
THIS = "this"  # the playlist that is looked at
WHOLE = model.WHOLE


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A layout as it would be: its picture, or why there is none; and what its writer should know."""

    checked: CheckedLayout | None = None
    problem: OutpostError | None = None
    notes: Sequence[Note] = ()

    def of(self, element: int) -> list[Note]:
        """What is said of one element; of -1 of the whole."""
        return [note for note in self.notes if note.element == element]

    @property
    def faulty(self) -> bool:
        """Whether something keeps it from being published."""
        return self.problem is not None or any(note.level == "error" for note in self.notes)


class Next(msgspec.Struct, frozen=True):
    """What is shown from a moment on."""

    from_us: int
    screen: Screen


async def drawn(visit: Visit, body: Body, look: Look) -> Preview:
    """A layout, drawn for the panel that is looked at; with what head office knows of the site."""
    if not visit.may(Role.TECHNICIAN):
        return Preview()
    asked = {"site": look.site, "device": look.device, "panel": look.panel}
    try:
        faults = model.faults(model.read(DocumentKind.LAYOUT, body))
        checked = await visit.act("POST", "/v1/content/check", {"body": body, **asked})
    except Forbidden:
        raise
    except OutpostError as error:
        return Preview(problem=error)
    return Preview(checked=checked, notes=[*faults, *checked.notes])


def checked_words(kind: DocumentKind, body: Body) -> Preview:
    """What is wrong with another document."""
    try:
        return Preview(notes=model.faults(model.read(kind, body)))
    except OutpostError as error:
        return Preview(problem=error)


async def turns(visit: Visit, kind: DocumentKind, body: Body, site: str) -> tuple[list[Next], str]:
    """What a playlist or a schedule shows now and next by the clock of a site, and that clock's zone. Nothing for
    what cannot be read yet."""
    zone = await _zone(visit, site)
    try:
        read = model.read(kind, body)
    except OutpostError:
        return [], str(zone)
    if isinstance(read, Playlist):
        schedule, lists = Schedule(rules=(Rule(playlist=THIS),)), {THIS: read}
    elif isinstance(read, Schedule):
        schedule, lists = read, await _playlists(visit, read)
    else:
        return [], str(zone)
    return _ahead(schedule, lists.get, visit.now_us, zone), str(zone)


def _ahead(
    schedule: Schedule, playlists: Callable[[str], Playlist | None], now_us: int, zone: ZoneInfo
) -> list[Next]:
    found: list[Next] = []
    at_us: int | None = now_us
    while at_us is not None and len(found) < TURNS:
        now = turn("", schedule, playlists, at_us, zone)
        found.append(Next(at_us, now.screen))
        at_us = now.until_us
    return found


async def _playlists(visit: Visit, schedule: Schedule) -> dict[str, Playlist]:
    """The published playlists that a schedule names."""
    found: dict[str, Playlist] = {}
    for name in {rule.playlist for rule in schedule.rules if rule.playlist}:
        try:
            told = await document(visit, DocumentKind.PLAYLIST, name)
            read = model.read(DocumentKind.PLAYLIST, told.published) if told.published is not None else None
        except OutpostError:
            continue
        if isinstance(read, Playlist):
            found[name] = read
    return found


async def _zone(visit: Visit, site: str) -> ZoneInfo:
    """The zone of a site's clocks; UTC where none is chosen."""
    if not site:
        return zone_named("UTC")
    try:
        found: SiteView = await visit.get("/v1/sites/{site}", site=site)
    except NotFound:
        return zone_named("UTC")
    return zone_named(found.timezone)
