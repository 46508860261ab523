"""/v1/sites, and where a hub enrols."""

from __future__ import annotations

from bisect import bisect_right

import msgspec
from sqlalchemy import RowMapping

from cloud.accounts.member import member
from cloud.sites.enrolment import Enrolment
from cloud.sites.model import (
    SiteFacts,
    SiteState,
    StreamFacts,
    alerts_of,
    buffer_days,
    lag_of,
    state_of,
    troubles_of,
)
from cloud.sites.order import Standing, read_cursor, read_state, standing
from cloud.sites.sites import Code, Sites
from edge.clock import Clock, iso
from edge.errors import BadInput
from edge.serving.addresses import address_of
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.centre import ChangeSite, CreateSite, SiteCode, SiteLane, SiteView
from edge.wire.sync import Enrol, Enrolled

BY_NAME, WORST = "name", "worst"
ORDERS = (BY_NAME, WORST)


class SiteRoutes:
    """The routes of this capability. `inbox_max`: how many items may wait for a site; `url`: how hubs reach us."""

    def __init__(self, sites: Sites, enrolment: Enrolment, clock: Clock, *, inbox_max: int, url: str) -> None:
        self._sites, self._enrolment, self._clock = sites, enrolment, clock
        self._inbox_max, self._url = inbox_max, url

    def all(self) -> list[Route]:
        """Every route."""
        viewer, admin, one = Role.VIEWER, Role.ADMIN, "/v1/sites/{site}"
        enrol = "A hub shows its code, and gets the token of its site"
        again = "A new code: the hub that enrols with it takes the site over"
        return [
            Route(
                "GET", "/v1/sites", self.list, "Sites, by name or the worst first", viewer,
                returns=SiteView, many=True, query=("order", "state", "q"),
            ),
            Route(
                "POST", "/v1/sites", self.create, "Make a site", admin,
                body=CreateSite, returns=SiteCode, created=True,
            ),
            Route("GET", one, self.show, "One site, by its id or name", viewer, returns=SiteView),
            Route("PATCH", one, self.rename, "Rename a site", admin, body=ChangeSite, returns=SiteView),
            Route("POST", f"{one}/code", self.code, again, admin, returns=SiteCode, created=True),
            Route(
                "POST", f"{one}/clear", self.clear, "Take its alert away: somebody looked at it", Role.TECHNICIAN,
                returns=SiteView,
            ),
            Route("POST", f"{one}/revoke", self.revoke, "Refuse its hub from now on", admin, returns=SiteView),
            Route("POST", "/sync/v1/enrol", self.enrol, enrol, None, body=Enrol, returns=Enrolled),
        ]  # fmt: skip

    async def list(self, call: Call) -> Answer:
        """GET /v1/sites?order=&state=&q=; the cursor is opaque."""
        order, state, wanted = call.query("order", BY_NAME), read_state(call.query("state")), call.query("q")
        if order not in ORDERS:
            raise BadInput(f"order is one of {', '.join(ORDERS)}.")
        if order != BY_NAME or state or wanted:
            return await self._ordered(call, order, state, wanted.casefold())
        limit, behind = call.limit(), call.query("cursor")
        found = await self._sites.page(member(call), behind=behind, limit=limit)
        views = [self._view(row, site) for row, site in found]
        return Page(views, views[-1].id if len(views) == limit else None)

    async def _ordered(self, call: Call, order: str, state: SiteState | None, wanted: str) -> Page:
        """A page of those that are asked for: how each site stands is worked out from the rows of all."""
        now_us, limit, cursor = self._clock.now().at_us, call.limit(), call.query("cursor")
        everyone = await self._sites.everyone(member(call))
        places = []
        for row, site in everyone:
            if wanted and wanted not in row["name"].casefold() and wanted not in row["slug"]:
                continue
            stands = state_of(site, now_us)
            if state in (None, stands):
                places.append((self._place(row, site, order, stands, now_us), row, site))
        places.sort(key=lambda place: place[0])
        if cursor:
            behind = read_cursor(cursor, {row["slug"]: row["name"] for row, _ in everyone})
            places = places[bisect_right(places, behind, key=lambda place: place[0]) :]
        page = places[:limit]
        return Page(
            [self._view(row, site) for _, row, site in page],
            page[-1][0].cursor() if len(places) > limit else None,
        )

    def _place(self, row: RowMapping, site: SiteFacts, order: str, state: SiteState, now_us: int) -> Standing:
        if order == BY_NAME:
            return Standing(0, 0, row["name"], row["slug"])
        troubled = bool(troubles_of(site, now_us, self._inbox_max))
        return standing(row["slug"], row["name"], site, state, troubled=troubled)

    async def create(self, call: Call) -> Answer:
        """POST /v1/sites."""
        asked: CreateSite = call.body
        return Created(self._code_view(await self._sites.create(member(call), asked.name)))

    async def show(self, call: Call) -> Answer:
        """GET /v1/sites/{site}."""
        return await self._shown(call, call.param("site"))

    async def rename(self, call: Call) -> Answer:
        """PATCH /v1/sites/{site}."""
        asked: ChangeSite = call.body
        return await self._shown(call, await self._sites.rename(member(call), call.param("site"), asked.name))

    async def code(self, call: Call) -> Answer:
        """POST /v1/sites/{site}/code."""
        return Created(self._code_view(await self._sites.new_code(member(call), call.param("site"))))

    async def clear(self, call: Call) -> Answer:
        """POST /v1/sites/{site}/clear."""
        return await self._shown(call, await self._sites.clear(member(call), call.param("site")))

    async def revoke(self, call: Call) -> Answer:
        """POST /v1/sites/{site}/revoke."""
        await self._sites.revoke(member(call), call.param("site"))
        return await self._shown(call, call.param("site"))

    async def enrol(self, call: Call) -> Answer:
        """POST /sync/v1/enrol."""
        return await self._enrolment.enrol(call.body, address_of(call.request))

    def _code_view(self, made: Code) -> SiteCode:
        return SiteCode(
            site=made.slug, name=made.name, code=made.code, expires_at=iso(made.until_us), url=self._url
        )

    async def _shown(self, call: Call, slug_or_name: str) -> SiteView:
        return self._view(*await self._sites.one(member(call), slug_or_name))

    def _view(self, row: RowMapping, site: SiteFacts) -> SiteView:
        now_us = self._clock.now().at_us
        state, alerts = state_of(site, now_us), alerts_of(site, now_us, self._inbox_max)
        reasons = troubles_of(site, now_us, self._inbox_max)
        lag_s, report = lag_of(site, now_us), site.report
        days = buffer_days(report) if report else None
        return SiteView(
            id=row["slug"],
            name=row["name"],
            state=state.value,
            reason=reasons[0] if reasons else "",
            created_at=iso(row["created_us"]),
            seen_at=iso(row["seen_us"]) if row["seen_us"] else None,
            lag_s=None if lag_s is None else round(lag_s, 1),
            timezone=row["timezone"],
            version=row["version"],
            clock_quality=report.quality if report else "",
            lanes=[_lane(site, stream, now_us) for stream in site.streams],
            inbox_waiting=site.inbox_waiting,
            inbox_since=iso(site.inbox_since_us) if site.inbox_since_us else None,
            dead_letters=report.dead_letters if report else 0,
            buffer_bytes=report.buffer_bytes if report else 0,
            buffer_max_bytes=report.buffer_max_bytes if report else 0,
            buffer_days=None if days is None else round(days, 1),
            devices=report.devices if report else 0,
            online=report.online if report else 0,
            problems=report.problems if report else [],
            report_age_s=round(max(0, now_us - row["report_us"]) / 1_000_000, 1) if row["report_us"] else None,
            alerts=alerts,
            alert=site.alert if alerts else "",
        )


def _lane(site: SiteFacts, stream: StreamFacts, now_us: int) -> SiteLane:
    lag_s = lag_of(msgspec.structs.replace(site, streams=[stream]), now_us)
    return SiteLane(
        stream=stream.stream,
        head=stream.head,
        next=stream.next,
        waiting=stream.waiting,
        complete_to=iso(stream.complete_us) if stream.complete_us else None,
        lag_s=None if lag_s is None else round(lag_s, 1),
        moved_at=iso(stream.moved_us) if stream.moved_us else None,
    )
