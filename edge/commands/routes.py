"""/v1 of commands: given to a device, listed, cancelled, sent again, resolved."""

from __future__ import annotations

from edge.clock import Clock
from edge.commands.commands import Commands
from edge.commands.history import History
from edge.commands.model import Command
from edge.commands.views import command_view
from edge.devices.registry import Registry
from edge.errors import BadInput, Forbidden, NotFound
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.store.boots import Boots
from edge.wire.commands import State
from edge.wire.kinds import APP_KINDS, KEY_CHARS, NOTE_CHARS
from edge.wire.views import AttemptView, CommandView, NewCommand, Resolve

STATES = {"open": ("queued", "sent", "in_doubt"), **{state.value: (state.value,) for state in State}}


class CommandRoutes:
    """The routes of this capability."""

    def __init__(
        self, commands: Commands, history: History, registry: Registry, clock: Clock, boots: Boots
    ) -> None:
        self._commands, self._history, self._registry = commands, history, registry
        self._clock, self._boots = clock, boots

    def all(self) -> list[Route]:
        """Every route."""
        tech, viewer, view = Role.TECHNICIAN, Role.VIEWER, CommandView
        of_device, one = "/v1/devices/{id}/commands", "/v1/commands/{id}"
        give = "Tell a device to do something; 201 once it is on disk"
        again = "Send it again as a new command, where that is harmless"
        doubt = "Say what happened to one in doubt"
        return [
            Route("POST", of_device, self.give, give, tech, app=True, body=NewCommand, returns=view, created=True),
            Route(
                "GET",
                of_device,
                self.of_device,
                "A device's commands, newest first",
                viewer,
                returns=view,
                many=True,
            ),
            Route("GET", "/v1/commands", self.every, "Commands, newest first", viewer, returns=view, many=True),
            Route("GET", one, self.one, "One command", viewer, app=True, returns=view),
            Route(
                "GET", one + "/attempts", self.attempts, "Each try at it", viewer, returns=AttemptView, many=True
            ),
            Route(
                "POST", one + "/cancel", self.cancel, "Take it back before it is sent", tech, app=True, returns=view
            ),
            Route("POST", one + "/retry", self.retry, again, tech, returns=view, created=True),
            Route("POST", one + "/resolve", self.resolve, doubt, tech, body=Resolve, returns=view),
        ]

    async def give(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/commands."""
        wanted: NewCommand = call.body
        if call.principal.role is Role.APP and wanted.kind not in APP_KINDS:
            raise Forbidden(f"A key for an app may send {', '.join(sorted(APP_KINDS))} only.")
        key = call.request.headers.get("Idempotency-Key", "")
        if len(key) > KEY_CHARS:
            raise BadInput(f"An Idempotency-Key has at most {KEY_CHARS} characters.")
        command = await self._commands.accept(
            self._registry.get(call.param("id")),
            wanted.kind,
            wanted.args,
            actor=call.actor,
            ttl_s=wanted.ttl_s,
            idempotency_key=key,
        )
        return Created(self._view(command))

    async def of_device(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/commands."""
        device = self._registry.get(call.param("id"))
        return self._page(
            await self._history.page(device_id=device.id, before=call.cursor(), limit=call.limit()), call.limit()
        )

    async def every(self, call: Call) -> Answer:
        """GET /v1/commands?state=."""
        wanted = call.query("state")
        if wanted and wanted not in STATES:
            raise BadInput(f"There is no state {wanted[:40]!r}; known: {', '.join(STATES)}.")
        found = await self._history.page(states=STATES.get(wanted, ()), before=call.cursor(), limit=call.limit())
        return self._page(found, call.limit())

    async def one(self, call: Call) -> Answer:
        """GET /v1/commands/{id}."""
        return self._view(await self._own(call))

    async def attempts(self, call: Call) -> Answer:
        """GET /v1/commands/{id}/attempts."""
        command = await self._commands.get(call.param("id"))
        return Page(await self._history.attempts(command.id))

    async def cancel(self, call: Call) -> Answer:
        """POST /v1/commands/{id}/cancel."""
        command = await self._own(call)
        return self._view(await self._commands.cancel(command, f"Cancelled by {call.actor}."))

    async def retry(self, call: Call) -> Answer:
        """POST /v1/commands/{id}/retry."""
        command = await self._commands.get(call.param("id"))
        return Created(self._view(await self._commands.retry(command, actor=call.actor)))

    async def resolve(self, call: Call) -> Answer:
        """POST /v1/commands/{id}/resolve."""
        said: Resolve = call.body
        if said.outcome not in (State.SUCCEEDED.value, State.FAILED.value):
            raise BadInput("outcome is `succeeded` (it happened) or `failed` (it did not).")
        note = said.note.strip()
        if not 1 <= len(note) <= NOTE_CHARS:
            raise BadInput(f"A note of 1 to {NOTE_CHARS} characters says how you know.")
        command = await self._commands.get(call.param("id"))
        happened = said.outcome == State.SUCCEEDED.value
        return self._view(await self._commands.resolve(command, happened, note, actor=call.actor))

    async def _own(self, call: Call) -> Command:
        """The command asked for; an app sees no other's. Raises NotFound."""
        command = await self._commands.get(call.param("id"))
        if call.principal.role is Role.APP and command.actor != call.actor:
            raise NotFound(f"There is no command {command.id!r}.")
        return command

    def _view(self, command: Command) -> CommandView:
        return command_view(command, self._clock.now(), self._boots)

    def _page(self, found: list[Command], limit: int) -> Page:
        more = str(found[-1].number) if len(found) == limit else None
        return Page([self._view(command) for command in found], more)
