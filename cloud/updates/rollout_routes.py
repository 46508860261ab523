"""/v1/rollouts and /v1/groups over all sites of a caller, as at a hub."""

from __future__ import annotations

from sqlalchemy import RowMapping

from cloud.accounts.member import Member, member
from cloud.db.database import Database
from cloud.fleet.lookup import find_site
from cloud.updates import rollout_store as sql
from cloud.updates.artifact_routes import behind_of
from cloud.updates.groups import Groups
from cloud.updates.previewing import previewed
from cloud.updates.rollouts import Rollouts, find
from cloud.updates.views import RolloutViews
from edge.clock import Clock
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Handler, Page, Route
from edge.updates.rollouts.model import OPEN
from edge.wire.centre import RolloutPreview, SiteGroup, SiteRollout
from edge.wire.updates import (
    NewRollout,
    PauseRollout,
    RetryRollout,
    RolloutDevice,
    RolloutState,
    SetGroup,
    Step,
)

STATES = ("open", *(state.value for state in RolloutState))
ROLLOUTS_MAX = 50  # in one page: each is counted


class RolloutRoutes:
    """The routes."""

    def __init__(self, rollouts: Rollouts, groups: Groups, database: Database, clock: Clock) -> None:
        self._rollouts, self._groups, self._db, self._clock = rollouts, groups, database, clock

    def all(self) -> list[Route]:
        """Every route."""
        return [*self._of_rollouts(), *self._of_groups()]

    def _of_rollouts(self) -> list[Route]:
        viewer, tech, view = Role.VIEWER, Role.TECHNICIAN, SiteRollout
        every, one = "/v1/rollouts", "/v1/rollouts/{id}"
        asked = ("state", "artifact", "site")
        start = "Let devices of any sites run an artifact, wave by wave; 201 once it is on disk"
        look = "What a rollout would be: how many devices of which site are in each wave"
        again = "Try again with devices that went wrong"
        return [
            Route("GET", every, self.every, "Rollouts, newest first", viewer, returns=view, many=True, query=asked),
            Route("POST", every, self.start, start, tech, body=NewRollout, returns=view, created=True),
            Route("POST", every + "/preview", self.preview, look, tech, body=NewRollout, returns=RolloutPreview),
            Route("GET", one, self.one, "One rollout with its waves and sites", viewer, returns=view),
            Route(
                "GET",
                one + "/devices",
                self.devices,
                "Its devices, in the order of their waves",
                viewer,
                returns=RolloutDevice,
                many=True,
                query=("step", "wave", "site"),
            ),
            self._act(one + "/pause", self.pause, "Offer nothing new for now"),
            Route("POST", one + "/resume", self.resume, "Go on", tech, returns=view),
            self._act(one + "/abort", self.abort, "Take back what no device is past the switch with, for good"),
            Route("POST", one + "/retry", self.retry, again, tech, body=RetryRollout, returns=view, bare=True),
        ]

    def _act(self, path: str, handler: Handler, summary: str) -> Route:
        return Route(
            "POST", path, handler, summary, Role.TECHNICIAN, body=PauseRollout, returns=SiteRollout, bare=True
        )

    def _of_groups(self) -> list[Route]:
        viewer, tech, view, one = Role.VIEWER, Role.TECHNICIAN, SiteGroup, "/v1/groups/{name}"
        return [
            Route("GET", "/v1/groups", self.groups, "Groups of devices", viewer, returns=view, many=True),
            Route("GET", one, self.group, "One group, its devices with their names", viewer, returns=view),
            Route("PUT", one, self.set_group, "Say which devices are in it", tech, body=SetGroup, returns=view),
            Route("DELETE", one, self.remove_group, "Remove it; its devices stay", tech),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/rollouts?state=&artifact=&site=."""
        state = call.query("state")
        if state and state not in STATES:
            raise BadInput(f"There is no state {state[:40]!r}; known: {', '.join(STATES)}.")
        states = {one.value for one in OPEN} if state == "open" else {state} - {""}
        caller, limit = member(call), min(call.limit(), ROLLOUTS_MAX)
        site = call.query("site")
        async with self._db.read() as connection:
            if site:
                await find_site(connection, caller, site)
            rows = await sql.page(
                connection,
                caller,
                artifact=call.query("artifact"),
                site=site,
                states=states,
                behind=behind_of(call.query("cursor")),
                limit=limit,
            )
            views = RolloutViews(connection, caller, self._clock.now().at_us)
            found = [await views.rollout(row) for row in rows]
        more = f"{rows[-1]['created_us']}.{rows[-1]['id']}" if len(rows) == limit else None
        return Page(found, more)

    async def start(self, call: Call) -> Answer:
        """POST /v1/rollouts."""
        caller = member(call)
        row = await self._rollouts.create(caller, call.body, request_key=call.request_key())
        return Created(await self._view(caller, row))

    async def preview(self, call: Call) -> Answer:
        """POST /v1/rollouts/preview."""
        async with self._db.read() as connection:
            return await previewed(connection, member(call), call.body, self._clock.now().at_us)

    async def one(self, call: Call) -> Answer:
        """GET /v1/rollouts/{id}."""
        caller = member(call)
        async with self._db.read() as connection:
            row = await find(connection, caller, call.param("id"))
        return await self._view(caller, row)

    async def devices(self, call: Call) -> Answer:
        """GET /v1/rollouts/{id}/devices?step=&wave=&site=."""
        caller, step, cursor = member(call), call.query("step"), call.cursor()
        if step and step not in {known.value for known in Step}:
            raise BadInput(f"There is no step {step[:40]!r}; known: {', '.join(one.value for one in Step)}.")
        async with self._db.read() as connection:
            row = await find(connection, caller, call.param("id"))
            views = RolloutViews(connection, caller, self._clock.now().at_us)
            found, more = await views.devices(
                row,
                step=step,
                wave=call.number("wave"),
                site=call.query("site"),
                behind=-1 if cursor is None else cursor,
                limit=call.limit(),
            )
        return Page(found, None if more is None else str(more))

    async def pause(self, call: Call) -> Answer:
        """POST /v1/rollouts/{id}/pause."""
        caller, why = member(call), call.body
        return await self._view(caller, await self._rollouts.pause(caller, call.param("id"), why.reason))

    async def resume(self, call: Call) -> Answer:
        """POST /v1/rollouts/{id}/resume."""
        caller = member(call)
        return await self._view(caller, await self._rollouts.resume(caller, call.param("id")))

    async def abort(self, call: Call) -> Answer:
        """POST /v1/rollouts/{id}/abort."""
        caller, why = member(call), call.body
        return await self._view(caller, await self._rollouts.abort(caller, call.param("id"), why.reason))

    async def retry(self, call: Call) -> Answer:
        """POST /v1/rollouts/{id}/retry."""
        caller, wanted = member(call), call.body
        return await self._view(caller, await self._rollouts.retry(caller, call.param("id"), wanted.devices))

    async def groups(self, call: Call) -> Answer:
        """GET /v1/groups."""
        return Page([*await self._groups.all(member(call))])

    async def group(self, call: Call) -> Answer:
        """GET /v1/groups/{name}."""
        return await self._groups.one(member(call), call.param("name"))

    async def set_group(self, call: Call) -> Answer:
        """PUT /v1/groups/{name}."""
        wanted: SetGroup = call.body
        return await self._groups.set(member(call), call.param("name"), wanted.devices)

    async def remove_group(self, call: Call) -> Answer:
        """DELETE /v1/groups/{name}."""
        await self._groups.remove(member(call), call.param("name"))
        return None

    async def _view(self, caller: Member, row: RowMapping) -> SiteRollout:
        async with self._db.read() as connection:
            return await RolloutViews(connection, caller, self._clock.now().at_us).rollout(row)
