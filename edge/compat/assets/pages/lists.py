"""The pages' lists: assets, loggers, events, and what somebody should look at."""

from __future__ import annotations

from typing import Generic

from aiohttp import web

from edge.access.accounts.model import User
from edge.assets.answers.stops import explanation_of
from edge.assets.model import Span
from edge.clock import Clock
from edge.compat import own_settings
from edge.compat.assets.auth import refusal
from edge.compat.assets.pages import documents
from edge.compat.assets.pages.documents import Document
from edge.compat.assets.pages.entry import Table, told
from edge.compat.assets.pages.past import KINDS, Happened, Past
from edge.compat.assets.pages.period import FROM, TO, asked
from edge.compat.assets.pages.plant import K, Machine, Plant, Seen
from edge.compat.thingsnxt.door import Visit, reply
from edge.errors import BadInput

ROWS, ROWS_MAX = 50, 1000  # of one page of events
PAGES_MAX = 1_000_000
EVER_DAYS = 3660
ARCHIVED = "archived_us"  # of a person's own settings: up to when he has put his events away
ALERTS_END = "An alert ends by itself, once what it tells is over."
ALERT_WORDS = ("active", "history", "stats")
STATES = {"RUNNING": "STOP_END", "STOPPED": "RUN_END"}  # the state that an event begins


class AssetLists(Generic[K]):
    """Reads them."""

    def __init__(self, plant: Plant[K], clock: Clock) -> None:
        self._plant, self._clock = plant, clock

    def table(self) -> Table:
        """What people may ask."""
        return {
            ("GET", "/api/assets"): self.assets,
            ("GET", "/api/assets/{id}"): self.asset,
            ("GET", "/api/events"): self.events,
            ("GET", "/api/loggers"): self.loggers,
            ("GET", "/api/loggers/{id}"): self.logger,
            ("GET", "/api/device/list"): self.loggers,
            ("GET", "/api/alerts"): self.alerts,
            ("GET", "/api/alerts/{what}"): self.alerts,
            ("POST", "/api/alerts/{id}/{act}"): self.no_act,
            ("PUT", "/api/alerts/{id}/{act}"): self.no_act,
        }

    async def assets(self, visit: Visit) -> web.Response:
        """GET /api/assets: all he sees, with figures of all time."""
        seen = await self._plant.seen(visit.user)
        shown = await self._assets(seen, seen.machines)
        return told(total=len(shown), assets=shown)

    async def asset(self, visit: Visit) -> web.Response:
        """GET /api/assets/{id}."""
        seen = await self._plant.seen(visit.user)
        (shown,) = await self._assets(seen, (seen.machine(visit.params["id"]),))
        return told(asset=shown)

    async def loggers(self, visit: Visit) -> web.Response:
        """GET /api/loggers, GET /api/device/list: a plain array."""
        seen = await self._plant.seen(visit.user)
        return reply([documents.logger(seen, logger) for logger in seen.loggers])

    async def logger(self, visit: Visit) -> web.Response:
        """GET /api/loggers/{id}."""
        seen = await self._plant.seen(visit.user)
        return reply(documents.logger(seen, seen.logger(visit.params["id"])))

    async def events(self, visit: Visit) -> web.Response:
        """GET /api/events?page=&limit=: newest first; of an asset, a logger, a time, a kind where asked for."""
        page = _number(visit, "page", 1, PAGES_MAX)
        limit = _number(visit, "limit", ROWS, ROWS_MAX)
        seen = await self._plant.seen(visit.user)
        rows, total = await self.rows(visit, seen, (page - 1) * limit, limit)
        pages = max(1, -(-total // limit))
        return told(events=rows, total=total, page=page, limit=limit, totalPages=pages, pages=pages)

    async def rows(self, visit: Visit, seen: Seen[K], offset: int, limit: int) -> tuple[list[Document], int]:
        """Rows of events as a query asks for them, and how many there are. Raises BadInput, NotFound."""
        found, total = await Past(seen.bands).page(
            chosen(visit, seen), self._span(visit, seen), offset, limit, _kinds(visit)
        )
        return await self._explained(found, seen), total

    async def alerts(self, visit: Visit) -> web.Response:
        """GET /api/alerts, /api/alerts/active: what is so now. An alert that is over is over: there is no history
        but that of the events."""
        what = visit.params.get("what", "active")
        seen = await self._plant.seen(visit.user)
        found = documents.alerts(seen, self._clock.now().at_us) if what in ("active", "stats") else []
        if what not in ALERT_WORDS:
            raise BadInput("There is no such list of alerts")
        unread = {"total": len(found), "active": len(found), "unacknowledged": len(found)}
        return told(alerts=found, total=len(found), stats=unread)

    async def no_act(self, visit: Visit) -> web.Response:
        """POST, PUT /api/alerts/{id}/{act}: what an alert tells is so or over; nobody's word makes it over."""
        return refusal(400, ALERTS_END)

    # --- inside

    async def _assets(self, seen: Seen[K], machines: tuple[Machine[K], ...]) -> list[Document]:
        now_us = self._clock.now().at_us
        sums = await Past(seen.bands).sums(machines, [now_us])
        return [documents.asset(seen, machine, sums[machine.key, now_us]) for machine in machines]

    def _span(self, visit: Visit, seen: Seen[K]) -> Span:
        """The time that is asked about, without what the person has put away unless he asks for that."""
        now_us = self._clock.now().at_us
        from_us, to_us = asked(visit, seen.places[0].zone, now_us, days=EVER_DAYS)
        named = any(visit.asked.get(name) for name in (*FROM, *TO)) or visit.asked.get("archived") == "true"
        archived_us = 0 if named else archived(visit.user)
        return max(from_us, archived_us), max(to_us, archived_us)

    async def _explained(self, found: list[Happened[K]], seen: Seen[K]) -> list[Document]:
        """Rows with what people said of the stops they are of."""
        if not found:
            return []
        keys = list({one.machine.key for one in found})
        reach = min(one.stop[0] for one in found), max(one.stop[1] for one in found)
        said = await seen.bands.explanations(keys, reach)
        rows = []
        for one in found:
            row = documents.event(one, seen)
            its = explanation_of(one.stop, [each for each in said if each.key == one.machine.key])
            if its is not None:
                row |= {"stop_reason": its.reason_name, "note": its.note}
            rows.append(row)
        return rows


def archived(user: User) -> int:
    """Up to when a person has put his events away, 0 for never."""
    kept = own_settings.of_asset_pages(user.preferences).get(ARCHIVED)
    return kept if isinstance(kept, int) else 0


def chosen(visit: Visit, seen: Seen[K]) -> tuple[Machine[K], ...]:
    """The machines a query is about: one, those of a logger or a line, or all. Raises NotFound."""
    asset = visit.asked.get("asset_id") or visit.asked.get("assetId") or visit.asked.get("asset") or ""
    logger = visit.asked.get("logger_id") or visit.asked.get("loggerId") or ""
    line = visit.asked.get("line", "")
    machines = seen.machines
    if asset not in ("", "all"):
        machines = (seen.machine(asset),)
    if logger not in ("", "all"):
        its = seen.logger(logger).id
        machines = tuple(machine for machine in machines if machine.logger == its)
    return tuple(machine for machine in machines if not line or machine.line == line)


def _kinds(visit: Visit) -> frozenset[str]:
    kind = visit.asked.get("event_type") or visit.asked.get("eventType") or visit.asked.get("type") or ""
    state = visit.asked.get("state", "")
    kinds = KINDS if kind in ("", "all", "STATE_CHANGE") else frozenset({kind}) & KINDS
    return kinds if state in ("", "all") else kinds & {STATES.get(state.upper(), "")}


def _number(visit: Visit, name: str, usual: int, most: int) -> int:
    """A whole number from 1 on; what is none is the usual one."""
    text = visit.asked.get(name, "")
    return min(max(1, int(text)), most) if text.isascii() and text.isdecimal() and len(text) < 10 else usual
