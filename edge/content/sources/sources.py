"""Every published source: what it last said and when, and since when it is silent. Panels read it from memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

import msgspec
from yarl import URL

from edge.bus import Bus, Event
from edge.clock import Clock, iso
from edge.content.render.scene.given import SourceSaid
from edge.content.sources import store as sql
from edge.content.sources.asking import Ask, ask_of
from edge.content.sources.fetching import Heard
from edge.content.sources.model import LONG_AGO_US, QUIET_S, Kept, Moment
from edge.errors import BadInput, NotFound, StorageError
from edge.store.database import Database
from edge.wire.content import SourceDocument, SourceView

log = logging.getLogger(__name__)


class SourceChanged(Event, frozen=True, kw_only=True):
    """A source has said something, fails, or is no more."""

    source_id: str


class Defined(msgspec.Struct, frozen=True):
    """A published source: what people call it, and what is asked."""

    title: str
    document: SourceDocument


Definitions = Callable[[], Mapping[str, Defined]]
"""All published sources by id; asked again when one was published or taken back."""


class Sources:
    """All of them. `definitions` is asked at `start` and at each `refresh`."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, definitions: Definitions) -> None:
        self._db, self._bus, self._clock, self._definitions = database, bus, clock, definitions
        self._defined: Mapping[str, Defined] = {}
        self._asks: dict[str, Ask] = {}
        self._kept: dict[str, Kept] = {}
        self._next_s: dict[str, float] = {}  # when it is asked next, in monotonic seconds
        self._refreshing = asyncio.Lock()

    async def start(self) -> None:
        """Load what they said before."""
        self._kept = {kept.id: kept for kept in await self._db.write(sql.load)}
        await self.refresh()

    async def refresh(self) -> None:
        """Read the definitions anew. What a source said is forgotten when it is no more, or asks for
        something else."""
        async with self._refreshing:
            self._defined, asks, unfit = dict(self._definitions()), {}, {}
            for source_id, defined in self._defined.items():
                try:
                    asks[source_id] = ask_of(defined.document)
                except BadInput as error:
                    unfit[source_id] = Kept(id=source_id, asked="", problem=error.detail)
            self._asks = asks
            for source_id, kept in list(self._kept.items()):
                if source_id not in asks or kept.asked != asks[source_id].key:
                    await self._forget(kept)
            self._kept |= unfit

    def asks(self) -> dict[str, Ask]:
        """What is asked of every source that can be asked, by id."""
        return dict(self._asks)

    def ask(self, source_id: str) -> Ask | None:
        """What is asked of it; None for one that is not, or cannot be asked."""
        return self._asks.get(source_id)

    def kept(self, source_id: str) -> Kept | None:
        """What is known of it."""
        return self._kept.get(source_id)

    def said(self, source_id: str) -> SourceSaid | None:
        """What it last said; None for nothing yet. Where no clock can tell how old it is, `at_us` is 0 or less, and
        longer ago than panels show anything: nobody takes it for new."""
        kept = self._kept.get(source_id)
        if kept is None or kept.at is None:
            return None
        now = self._clock.now()
        at_us = kept.at.by_now_us(now, self._db.boots)
        return SourceSaid(kept.values, min(0, now.at_us - LONG_AGO_US) if at_us is None else at_us)

    def age_s(self, source_id: str) -> float | None:
        """How old what it last said is; None for nothing yet, or when nobody can know."""
        kept = self._kept.get(source_id)
        return kept.at.age_s(self._clock.now(), self._db.boots) if kept and kept.at else None

    def planned(self, source_id: str, in_s: float) -> None:
        """It is asked again in so many seconds."""
        self._next_s[source_id] = self._clock.mono_s() + in_s

    # --- what came of asking

    async def heard(self, source_id: str, ask: Ask, heard: Heard) -> None:
        """It has answered; None for values: with what it said before."""
        before = self._current(source_id, ask)
        kept = Kept(
            id=source_id,
            asked=ask.key,
            values=before.values if heard.values is None else heard.values,
            at=Moment.of(self._clock.now()),
            etag=heard.etag,
            modified=heard.modified,
        )
        if before.problem:
            log.info("a source answers again", extra={"source": source_id})
        await self._keep(kept, ask)

    async def failed(self, source_id: str, ask: Ask, problem: str) -> None:
        """It could not be asked, or did not say what it should. What it said before stays, with its age."""
        before = self._current(source_id, ask)
        if not before.problem:
            log.warning("a source fails: %s", problem, extra={"source": source_id})
        kept = msgspec.structs.replace(
            before,
            problem=problem,
            failures=before.failures + 1,
            failing=before.failing or Moment.of(self._clock.now()),
        )
        await self._keep(kept, ask)

    # --- what people see

    def view(self, source_id: str) -> SourceView:
        """How it stands. Raises NotFound."""
        defined = self._defined.get(source_id)
        if defined is None:
            raise NotFound(
                f"There is no published source {source_id[:100]!r}.",
                hint="Is it a draft? `outpost content publish source ID`. `outpost content source list` has all.",
            )
        kept = self._kept.get(source_id) or Kept(id=source_id, asked="")
        ask, next_s = self._asks.get(source_id), self._next_s.get(source_id)
        age_s, now = self.age_s(source_id), self._clock.now()
        at_us = kept.at.by_now_us(now, self._db.boots) if kept.at else None
        in_s = max(0.0, next_s - self._clock.mono_s()) if next_s is not None else 0.0
        return SourceView(
            id=source_id,
            title=defined.title,
            url=shown_url(ask.url) if ask else "",
            every_s=ask.every_s if ask else defined.document.every_s,
            values=kept.values,
            at=None if at_us is None else iso(at_us),
            age_s=None if age_s is None else round(age_s, 1),
            problem=kept.problem,
            failures=kept.failures,
            next_at=None if ask is None or next_s is None else iso(now.at_us + int(in_s * 1e6)),
        )

    def views(self) -> list[SourceView]:
        """All of them, by id."""
        return [self.view(source_id) for source_id in sorted(self._defined)]

    def problems(self) -> list[str]:
        """Those that have failed for longer than a day, in sentences."""
        now, boots, found = self._clock.now(), self._db.boots, []
        for source_id, defined in sorted(self._defined.items()):
            kept = self._kept.get(source_id)
            silent_s = kept.failing.age_s(now, boots) if kept and kept.failing else None
            if kept is not None and silent_s is not None and silent_s > QUIET_S:
                name, days = defined.title or source_id, int(silent_s // 86_400)
                since = "1 day" if days == 1 else f"{days} days"
                found.append(f"The source {name!r} has said nothing for {since}: {kept.problem}.")
        return found

    def _current(self, source_id: str, ask: Ask) -> Kept:
        kept = self._kept.get(source_id)
        return kept if kept is not None and kept.asked == ask.key else Kept(id=source_id, asked=ask.key)

    async def _keep(self, kept: Kept, ask: Ask) -> None:
        """From now on it is so, on disk too where there is room: a full disk takes nothing off the panels."""
        now = self._asks.get(kept.id)
        if now is None or now.key != ask.key:
            return  # the document changed while it was asked
        self._kept[kept.id] = kept
        self._bus.publish(SourceChanged(source_id=kept.id))
        try:
            await self._db.write(lambda tx: sql.save(tx, kept))
        except StorageError as error:
            log.warning("what a source said could not be written down: %s", error.detail)

    async def _forget(self, kept: Kept) -> None:
        del self._kept[kept.id]
        self._next_s.pop(kept.id, None)
        if not kept.asked:
            return  # it never could be asked, so nothing of it is anywhere
        self._bus.publish(SourceChanged(source_id=kept.id))
        try:
            await self._db.write(lambda tx: sql.forget(tx, kept.id))
        except StorageError as error:  # its key tells at the next start that it is of something else
            log.warning("what a source said could not be forgotten: %s", error.detail)


def shown_url(url: str) -> str:
    """An address without its question: many services have their key there."""
    target = URL(url)
    return f"{target.with_query(None)}?…" if target.query_string else url
