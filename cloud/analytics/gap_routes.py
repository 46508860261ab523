"""/v1 of what is known to be lost of a device's readings, so that a chart can say why nothing is there."""

from __future__ import annotations

from sqlalchemy import RowMapping

from cloud.accounts.member import Member, member
from cloud.analytics import gap_store
from cloud.analytics.asked import window
from cloud.db.database import Database
from cloud.fleet.lookup import find_device
from cloud.sync.plain_json import plain_object
from edge.clock import Clock, iso
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.centre import SiteGap
from edge.wire.views import Json

YEAR_9999_US = 253_402_300_799_000_000


class GapRoutes:
    """The one route."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    def all(self) -> list[Route]:
        """Every route."""
        return [
            Route(
                "GET",
                "/v1/devices/{id}/gaps",
                self.gaps,
                "What is known to be lost of its readings, newest first",
                Role.VIEWER,
                returns=SiteGap,
                many=True,
                query=("from", "to", "site"),
            )
        ]

    async def gaps(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/gaps?from=&to=&site=: the newest that touch that time, as many as `limit`."""
        caller: Member = member(call)
        from_us, to_us = window(call, self._clock.now().at_us)
        async with self._db.read() as connection:
            device = await find_device(connection, caller, call.param("id"), call.query("site"))
            rows = await gap_store.gaps(
                connection, caller, device.place.site_id, device.id, from_us, limit=call.limit()
            )
        views = [_view(row, device.place.slug) for row in rows]
        end = iso(to_us)
        return Page([view for view in views if (view.from_at or view.at) < end])


def _view(row: RowMapping, site: str) -> SiteGap:
    """A fact as far as it can be read: a hub says what it likes."""
    body = plain_object(row["body"])
    first, last, count = (_number(body.get(name)) for name in ("first", "last", "count"))
    whole_hub = row["subject"] == gap_store.WHOLE_HUB
    return SiteGap(
        at=iso(row["at_us"]),
        from_at=_time(body.get("from_us")) if whole_hub else None,
        to_at=_time(body.get("to_us")) if whole_hub else None,
        where="hub" if whole_hub else "device",
        count=count or max(0, last - first + 1) if whole_hub else count,
        kept_every=_number(body.get("kept_every")) if whole_hub else 0,
        why=str(body.get("why", ""))[:200],
        site=site,
    )


def _number(told: Json) -> int:
    return told if isinstance(told, int) and told >= 0 else 0


def _time(told: Json) -> str | None:
    return iso(told) if isinstance(told, int) and 0 <= told <= YEAR_9999_US else None
