"""/v1 of commands at the centre: the hub's own paths, for the devices of all sites."""

from __future__ import annotations

from cloud.accounts.member import Member, member
from cloud.db.database import Database
from cloud.fleet import state_store
from cloud.fleet.asking import CONFIRM_S
from cloud.fleet.command_intake import Wanted
from cloud.fleet.command_view import attempt_views, command_view
from cloud.fleet.commands import Commands, Kept
from cloud.fleet.lookup import Found, find_device, find_site, found
from cloud.fleet.views import slot_view
from edge.clock import Clock, iso
from edge.errors import BadInput, Forbidden
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.centre import SiteCommand, SiteSlot, SiteVended
from edge.wire.commands import ENDED, State
from edge.wire.kinds import APP_KINDS, KEY_CHARS, NOTE_CHARS
from edge.wire.vending import Vend
from edge.wire.views import AttemptView, NewCommand, Resolve

STATES = {
    "open": ("queued", "sent", "in_doubt"),
    "waiting": ("queued", "sent"),
    "ended": tuple(sorted(ENDED)),
    **{state.value: (state.value,) for state in State},
}
FILTERS = ("site", "state", "device", "kind", "who")
WAIT_MAX_S = 30  # an answer is held back for no longer
SLOTS_MAX = 99
SITE, SITE_WAIT = ("site",), ("site", "wait")
UNKNOWN_SLOT = "Its hub has not told of this slot."


class CommandRoutes:
    """The routes of this capability."""

    def __init__(self, commands: Commands, database: Database, clock: Clock) -> None:
        self._commands, self._db, self._clock = commands, database, clock

    def all(self) -> list[Route]:
        """Every route."""
        return [*self._of_devices(), *self._of_commands()]

    def _of_devices(self) -> list[Route]:
        tech, viewer, view = Role.TECHNICIAN, Role.VIEWER, SiteCommand
        of_device = "/v1/devices/{id}/commands"
        give = "Tell a device to do something; 201 once it is on disk, or up to `wait` s later with what came of it"
        vend = "Have one dispensed, once; 201 once it is on disk"
        newest = "A device's commands, newest first"
        return [
            Route(
                "POST",
                of_device,
                self.give,
                give,
                tech,
                app=True,
                body=NewCommand,
                returns=view,
                created=True,
                query=SITE_WAIT,
            ),
            Route("GET", of_device, self.of_device, newest, viewer, returns=view, many=True, query=SITE),
            Route(
                "POST",
                "/v1/devices/{id}/slots/{slot}/vend",
                self.vend,
                vend,
                tech,
                app=True,
                body=Vend,
                returns=SiteVended,
                created=True,
                query=SITE_WAIT,
            ),
        ]

    def _of_commands(self) -> list[Route]:
        tech, viewer, view = Role.TECHNICIAN, Role.VIEWER, SiteCommand
        every, one = "/v1/commands", "/v1/commands/{id}"
        newest = "Commands of all sites, newest first"
        take_back = "Take it back before it is sent"
        again = "Send it again as a new command, where that is harmless"
        doubt = "Say what happened to one in doubt"
        return [
            Route("GET", every, self.every, newest, viewer, returns=view, many=True, query=FILTERS),
            Route("GET", one, self.one, "One command", viewer, app=True, returns=view, query=SITE_WAIT),
            Route(
                "GET",
                one + "/attempts",
                self.attempts,
                "Each try at it",
                viewer,
                returns=AttemptView,
                many=True,
                query=SITE,
            ),
            Route("POST", one + "/cancel", self.cancel, take_back, tech, app=True, returns=view, query=SITE),
            Route("POST", one + "/retry", self.retry, again, tech, returns=view, created=True, query=SITE),
            Route("POST", one + "/resolve", self.resolve, doubt, tech, body=Resolve, returns=view, query=SITE),
        ]

    async def give(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/commands?site=&wait=."""
        asked: NewCommand = call.body
        caller, wait_s = member(call), _wait_s(call)
        if caller.role is Role.APP and asked.kind not in APP_KINDS:
            raise Forbidden(f"A key for an app may send {', '.join(sorted(APP_KINDS))} only.")
        key = _key(call)
        device = await self._device(call, caller)
        if asked.kind == "vend":
            wanted = await self._vend(caller, device, asked.args.get("slot"), ttl_s=asked.ttl_s, key=key)
            if set(asked.args) != {"slot"}:
                raise BadInput("A vend takes `slot`, a number, and nothing else.")
        else:
            wanted = Wanted(kind=asked.kind, args=asked.args, ttl_s=asked.ttl_s, key=key)
        kept = await self._commands.give(caller, device, wanted)
        return Created(self._view(await self._commands.ended(caller, kept, wait_s)))

    async def vend(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/slots/{slot}/vend?site=&wait=."""
        asked: Vend = call.body
        caller, wait_s, key = member(call), _wait_s(call), _key(call)
        note = asked.note.strip()
        if len(note) > NOTE_CHARS or not note.isprintable():
            raise BadInput(f"A note has at most {NOTE_CHARS} printable characters.")
        device = await self._device(call, caller)
        text = call.param("slot")
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(SLOTS_MAX)) else None
        wanted = await self._vend(caller, device, number, ttl_s=asked.ttl_s, key=key, note=note)
        kept = await self._commands.give(caller, device, wanted)
        kept = await self._commands.ended(caller, kept, wait_s)
        assert wanted.slot is not None
        return Created(SiteVended(command=self._view(kept), slot=wanted.slot))

    async def of_device(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/commands?site=."""
        caller = member(call)
        device = await self._device(call, caller)
        page = await self._commands.page(caller, device=device, before=call.cursor(), limit=call.limit())
        return self._page(page, call.limit())

    async def every(self, call: Call) -> Answer:
        """GET /v1/commands?site=&state=&device=&kind=&who=; a device by its id, also one that is gone."""
        caller, state, site = member(call), call.query("state"), call.query("site")
        if state and state not in STATES:
            raise BadInput(f"There is no state {state[:40]!r}; known: {', '.join(STATES)}.")
        place = None
        if site:
            async with self._db.read() as connection:
                place = await find_site(connection, caller, site)
        page = await self._commands.page(
            caller,
            site=place,
            device_id=call.query("device"),
            states=STATES.get(state, ()),
            kind=call.query("kind"),
            who=call.query("who"),
            before=call.cursor(),
            limit=call.limit(),
        )
        return self._page(page, call.limit())

    async def one(self, call: Call) -> Answer:
        """GET /v1/commands/{id}?site=&wait=."""
        wait_s = _wait_s(call)
        return self._view(await self._commands.ended(member(call), await self._kept(call), wait_s))

    async def attempts(self, call: Call) -> Answer:
        """GET /v1/commands/{id}/attempts?site=."""
        return Page(attempt_views((await self._kept(call)).command))

    async def cancel(self, call: Call) -> Answer:
        """POST /v1/commands/{id}/cancel?site=."""
        return self._view(await self._commands.cancel(member(call), await self._kept(call), wait_s=CONFIRM_S))

    async def retry(self, call: Call) -> Answer:
        """POST /v1/commands/{id}/retry?site=."""
        caller, kept = member(call), await self._kept(call)
        async with self._db.read() as connection:
            device = await find_device(connection, caller, kept.command.device, kept.place.slug)
        return Created(self._view(await self._commands.retry(caller, kept, device, _key(call))))

    async def resolve(self, call: Call) -> Answer:
        """POST /v1/commands/{id}/resolve?site=."""
        said: Resolve = call.body
        if said.outcome not in (State.SUCCEEDED.value, State.FAILED.value):
            raise BadInput("outcome is `succeeded` (it happened) or `failed` (it did not).")
        note = said.note.strip()
        if not 1 <= len(note) <= NOTE_CHARS:
            raise BadInput(f"A note of 1 to {NOTE_CHARS} characters says how you know.")
        kept = await self._kept(call)
        to = State(said.outcome)
        return self._view(await self._commands.resolve(member(call), kept, to, note, wait_s=CONFIRM_S))

    async def _kept(self, call: Call) -> Kept:
        return await self._commands.get(member(call), call.param("id"), call.query("site"))

    async def _device(self, call: Call, caller: Member) -> Found:
        async with self._db.read() as connection:
            return await find_device(connection, caller, call.param("id"), call.query("site"))

    async def _vend(
        self, caller: Member, device: Found, number: object, *, ttl_s: float | None, key: str, note: str = ""
    ) -> Wanted:
        """A vend as it is asked of the hub. Raises BadInput for what is no slot's number."""
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= SLOTS_MAX:
            raise BadInput(f"A slot is a number from 1 to {SLOTS_MAX}.")
        slot = await self._slot(caller, device, number)
        return Wanted(kind="vend", args={"slot": number}, ttl_s=ttl_s, key=key, note=note, slot=slot)

    async def _slot(self, caller: Member, device: Found, number: int) -> SiteSlot:
        """The slot as its hub last told of it, or what is known of one it has not told of."""
        async with self._db.read() as connection:
            rows = await state_store.states(
                connection,
                caller,
                "slot",
                site=device.place.slug,
                device=device.id,
                thing=f"{device.id}/{number}",
                limit=1,
            )
        now_us = self._clock.now().at_us
        if rows:
            return slot_view(found(rows[0], caller), now_us)
        return SiteSlot(
            device=device.id,
            slot=number,
            item="",
            price=0,
            currency="",
            capacity=0,
            count=None,
            reserved=0,
            in_doubt=0,
            available=False,
            why=UNKNOWN_SLOT,
            restocked_at=None,
            site=device.place.slug,
            as_of=iso(device.received_us),
            stale=device.place.stale(now_us),
        )

    def _view(self, kept: Kept) -> SiteCommand:
        return command_view(kept.command, kept.place, self._clock.now().at_us)

    def _page(self, found: list[Kept], limit: int) -> Page:
        more = str(found[-1].command.number) if len(found) == limit else None
        return Page([self._view(kept) for kept in found], more)


def _wait_s(call: Call) -> int:
    wait_s = call.number("wait") or 0
    if wait_s > WAIT_MAX_S:
        raise BadInput(f"wait is at most {WAIT_MAX_S} seconds.")
    return wait_s


def _key(call: Call) -> str:
    """Under which key a request may come again; '' for none. Raises BadInput."""
    key = call.request_key()
    if len(key) > KEY_CHARS:
        raise BadInput(f"An Idempotency-Key has at most {KEY_CHARS} characters.")
    return key
