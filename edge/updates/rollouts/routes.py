"""/v1 of rollouts."""

from __future__ import annotations

from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Handler, Page, Route
from edge.updates.rollouts.rollouts import Rollouts
from edge.updates.rollouts.views import RolloutViews
from edge.wire.updates import (
    NewRollout,
    PauseRollout,
    RetryRollout,
    RolloutDevice,
    RolloutState,
    RolloutView,
    Step,
)

STATES = ("open", *(state.value for state in RolloutState))


class RolloutRoutes:
    """The routes."""

    def __init__(self, rollouts: Rollouts, views: RolloutViews) -> None:
        self._rollouts, self._views = rollouts, views

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, view = Role.VIEWER, Role.TECHNICIAN, RolloutView
        every, one = "/v1/rollouts", "/v1/rollouts/{id}"
        asked = ("state", "artifact")
        start = "Let devices run an artifact, wave by wave; 201 once it is on disk"
        again = "Try again with devices that went wrong"
        return [
            Route("GET", every, self.every, "Rollouts, newest first", viewer, returns=view, many=True, query=asked),
            Route("POST", every, self.start, start, tech, body=NewRollout, returns=view, created=True),
            Route("GET", one, self.one, "One rollout with its waves", viewer, returns=view),
            Route(
                "GET",
                one + "/devices",
                self.devices,
                "Its devices, in the order of their waves",
                viewer,
                returns=RolloutDevice,
                many=True,
                query=("step", "wave"),
            ),
            self._act(one + "/pause", self.pause, "Offer nothing new for now"),
            Route("POST", one + "/resume", self.resume, "Go on", tech, returns=view),
            self._act(one + "/abort", self.abort, "Take back what no device is past the switch with, for good"),
            Route("POST", one + "/retry", self.retry, again, tech, body=RetryRollout, returns=view, bare=True),
        ]

    def _act(self, path: str, handler: Handler, summary: str) -> Route:
        return Route(
            "POST", path, handler, summary, Role.TECHNICIAN, body=PauseRollout, returns=RolloutView, bare=True
        )

    async def every(self, call: Call) -> Answer:
        """GET /v1/rollouts?state=&artifact=."""
        state = call.query("state")
        if state and state not in STATES:
            raise BadInput(f"There is no state {state[:40]!r}; known: {', '.join(STATES)}.")
        found = await self._rollouts.page(
            state=state, artifact=call.query("artifact"), before=call.cursor(), limit=call.limit()
        )
        more = str(found[-1].number) if len(found) == call.limit() else None
        return Page([await self._views.rollout(one) for one in found], more)

    async def start(self, call: Call) -> Answer:
        """POST /v1/rollouts."""
        made = await self._rollouts.create(call.body, actor=call.actor, request_key=call.request_key())
        return Created(await self._views.rollout(made))

    async def one(self, call: Call) -> Answer:
        """GET /v1/rollouts/{id}."""
        return await self._views.rollout(await self._rollouts.get(call.param("id")))

    async def devices(self, call: Call) -> Answer:
        """GET /v1/rollouts/{id}/devices?step=&wave=."""
        step = call.query("step")
        if step and step not in {known.value for known in Step}:
            raise BadInput(f"There is no step {step[:40]!r}; known: {', '.join(one.value for one in Step)}.")
        rollout = await self._rollouts.get(call.param("id"))
        found = await self._rollouts.devices(
            rollout, step=step, wave=call.number("wave"), after=call.cursor() or 0, limit=call.limit()
        )
        more = str(found[-1][0]) if len(found) == call.limit() else None
        return Page([self._views.device(target) for _, target in found], more)

    async def pause(self, call: Call) -> Answer:
        """POST /v1/rollouts/{id}/pause."""
        why: PauseRollout = call.body
        return await self._views.rollout(await self._rollouts.pause(call.param("id"), why.reason, actor=call.actor))

    async def resume(self, call: Call) -> Answer:
        """POST /v1/rollouts/{id}/resume."""
        return await self._views.rollout(await self._rollouts.resume(call.param("id"), actor=call.actor))

    async def abort(self, call: Call) -> Answer:
        """POST /v1/rollouts/{id}/abort."""
        why: PauseRollout = call.body
        return await self._views.rollout(await self._rollouts.abort(call.param("id"), why.reason, actor=call.actor))

    async def retry(self, call: Call) -> Answer:
        """POST /v1/rollouts/{id}/retry."""
        wanted: RetryRollout = call.body
        return await self._views.rollout(
            await self._rollouts.retry(call.param("id"), wanted.devices, actor=call.actor)
        )
