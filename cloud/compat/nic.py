"""The old payment page from anywhere: it links its agent to a display of some site, sends codes and ends them.

The hub of that site decides, under the same rules as when it is asked there. Users whom the page cannot identify
are told apart by their computer's address, which nobody sees from here: they are served at their site alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from cloud.compat.displays import Display, Displays
from cloud.compat.door import Door, Visit
from cloud.compat.giving import Giving
from cloud.db.signals import Signals
from cloud.fleet.command_intake import Wanted
from cloud.fleet.lookup import Place
from edge.clock import Clock, iso
from edge.content.intake.forms import PayloadText, parse_source
from edge.errors import BadInput, BadPicture, DeviceUnavailable, NotSeated, OutpostError, Unauthenticated
from edge.serving.visits import AiohttpHandler, Body, guarded, read_object
from edge.wire.older import (
    NIC_SERVICE,
    NIC_VERSION,
    NO_DEVICE,
    NOT_SEATED,
    SHARED_AGENT,
    agent_of,
    is_shared,
    number_or_text,
)

Handler = Callable[[Visit], Awaitable[web.Response]]

SCOPE = "nic"
LINK_S = 8.0  # for a hub's word on a link; the page itself waits longer
SEEN_S = 2.0  # more, until the seat that a hub gave is seen here: the page sends its code right behind
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "X-API-Key, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}
UNIDENTIFIED = (
    "The page does not say who you are (agent 1), so it works at the site itself only: log in with a user."
)
SEVERAL = "{what} is known at several sites ({sites}); a technician ends the session that is not meant."
NO_ANSWER = "The hub of {site} did not answer in time. Try again."
_STATUS = {"bad-picture": 400, "rejected": 400, "bad-input": 400, "unreachable": 400, "device-unavailable": 404}


class NicAgents:
    """The routes of the page."""

    def __init__(self, door: Door, displays: Displays, giving: Giving, signals: Signals, clock: Clock) -> None:
        self._door, self._displays, self._giving = door, displays, giving
        self._signals, self._clock = signals, clock

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Its routes."""
        return {
            ("GET", "/api/device/health"): self.health,
            ("POST", "/api/device/link"): self._opened(self.link),
            ("POST", "/api/device/qr"): self._opened(self.qr),
            ("POST", "/api/device/rotation/start"): self._opened(self.rotation),
            ("GET", "/api/device/list"): self._opened(self.list),
        }

    async def health(self, request: web.Request) -> web.StreamResponse:
        """GET /api/device/health: for everybody; without `device`, as at the hub."""
        now = iso(self._clock.now().at_us)
        return reply({"status": "online", "service": NIC_SERVICE, "version": NIC_VERSION, "timestamp": now})

    async def link(self, visit: Visit) -> web.Response:
        """POST /api/device/link: seat the agent at his site, or say why not."""
        agent, name = _agent(visit), visit.text("agent_name")
        if not name:
            raise BadInput("Missing required fields")
        claimed, computer = visit.text("device_id"), visit.text("computer_name")
        places = await self._displays.site_of(visit.member, agent, claimed, computer)
        if len(places) != 1:
            sites = ", ".join(sorted(place.name for place in places))
            why = SEVERAL.format(what="This display", sites=sites) if places else NOT_SEATED["no-display"]
            return _not_seated(visit, "no-display", why)
        (place,) = places
        if away := self._giving.away(place):
            return refusal(503, "Device offline", success=False, message=f"{away}. Try again when it is back.")
        asked = {"agent": agent, "name": name, "device": claimed, "computer_name": computer}
        try:
            device_id = await self._giving.asking.ask(
                visit.member,
                place,
                "claim",
                asked,
                wait_s=LINK_S,
                ttl_s=LINK_S,
                audit="agent.claimed",
                subject=agent,
            )
        except NotSeated as error:
            return _not_seated(visit, error.detail, NOT_SEATED.get(error.detail, NOT_SEATED["no-display"]))
        if device_id is None:
            return refusal(503, "Device offline", success=False, message=NO_ANSWER.format(site=place.name))
        return await self._linked(visit, place, agent, device_id)

    async def qr(self, visit: Visit) -> web.Response:
        """POST /api/device/qr: a code for the agent's own display, wherever that is."""
        if not visit.body.get("qr_image"):
            raise BadInput("Missing required fields")
        return await self._send(visit, "display_qr", _qr_args(visit))

    async def rotation(self, visit: Visit) -> web.Response:
        """POST /api/device/rotation/start: the customer has paid, or the page was closed."""
        return await self._send(visit, "start_rotation", {})

    async def list(self, visit: Visit) -> web.Response:
        """GET /api/device/list: every display of all sites the key reaches."""
        devices = [_listed(display) for display in await self._displays.all(visit.member)]
        stats = {
            "total_devices": len(devices),
            "online_devices": sum(device["status"] == "online" for device in devices),
            "total_qr_today": sum(int(str(device["qr_count_today"])) for device in devices),
        }
        return reply({"devices": devices, "stats": stats})

    async def _send(self, visit: Visit, kind: str, args: dict[str, object]) -> web.Response:
        agent = _agent(visit)
        seats = await self._displays.seats(visit.member, agent, visit.query("site"))
        if len(seats) != 1:
            sites = ", ".join(sorted(seat.found.place.name for seat in seats))
            return _no_device(
                SEVERAL.format(what="This agent", sites=sites) if seats else "Link to a display first."
            )
        (seat,) = seats
        if not seat.reachable():
            return _no_device(NOT_SEATED["offline"])
        wanted = Wanted(kind=kind, args=args, agent=agent)
        try:
            given = await self._giving.give(visit.member, seat.found, wanted)
        except DeviceUnavailable as error:
            return _no_device(error.detail)
        body: Body = {"success": True, "command_id": given.kept.command.id, "device_id": seat.old_id}
        return reply(body | ({"queued": True, "message": given.waits} if given.waits else {}))

    async def _linked(self, visit: Visit, place: Place, agent: str, device_id: str) -> web.Response:
        """Answer once the seat is seen here too, or soon after."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SEEN_S
        with self._signals.watch(f"states:{place.tenant_id}") as watch:
            while (left_s := until_s - loop.time()) > 0 and not self._signals.ended:
                seats = await self._displays.seats(visit.member, agent, place.slug)
                if any(seat.view.id == device_id for seat in seats):
                    break
                await watch.wait(left_s)
        display = await self._displays.one(visit.member, place, device_id)
        shown, computer = (display.old_id, display.computer) if display else (device_id, "")
        return reply(
            {"success": True, "device_id": shown, "computer_name": computer or visit.text("computer_name")}
        )

    def _opened(self, handler: Handler) -> AiohttpHandler:
        async def serve(request: web.Request) -> web.StreamResponse:
            member = self._door.enter(request, scope=SCOPE)
            body = await read_object(request, self._door.body_s, known=True)
            return await handler(Visit(request, member, body))

        return guarded(serve, _refused)


def _agent(visit: Visit) -> str:
    """Who asks. Raises BadInput; DeviceUnavailable for one whom the page cannot identify."""
    raw = visit.body.get("agent_id")
    if not raw:
        raise BadInput("Missing required fields")
    agent = agent_of(raw)
    if agent is None:
        raise BadInput("An agent's id is a short text or a number.")
    if agent == SHARED_AGENT or is_shared(agent):
        raise DeviceUnavailable(UNIDENTIFIED)
    return agent


def _qr_args(visit: Visit) -> dict[str, object]:
    """The arguments of a display_qr command. Raises BadPicture, TooLarge."""
    source = visit.body["qr_image"]
    if not isinstance(source, str) or not _is_unicode(source):
        raise BadPicture("The picture is a data URI, base64 of a picture file, its address, or the code's text.")
    name = "payload" if isinstance(parse_source(source), PayloadText) else "image"
    more = {"caption": "customer_name", "amount": "amount", "reference": "policy_number"}
    return {name: source, **{to: visit.text(field) for to, field in more.items()}}


def _is_unicode(text: str) -> bool:
    """False for half a surrogate pair, which JSON can carry and nothing can draw."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _listed(display: Display) -> dict[str, object]:
    view, agent = display.view, display.view.agent
    return {
        "device_id": display.old_id,
        "computer_name": display.computer or view.name,
        "com_port": view.facts.get("com_port") or "",
        "status": "online" if view.online and not view.stale else "offline",
        "last_seen": view.evidence_at,
        "registered_at": view.created_at,
        "agent_id": number_or_text(SHARED_AGENT if is_shared(agent.agent) else agent.agent) if agent else None,
        "agent_name": agent.name if agent else None,
        "linked_at": agent.since if agent else None,
        "qr_count_today": view.shown_today,
        "qr_count_total": view.shown_total,
        "pending_commands": view.queued,
        "site": view.site,
    }


def reply(body: Body, status: int = 200) -> web.Response:
    """A JSON answer with its length, open to every origin."""
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        charset="utf-8",
        headers=CORS,
    )


def refusal(status: int, error: str, **more: object) -> web.Response:
    """An answer that says no."""
    return reply({"error": error, **more}, status)


async def preflight(request: web.Request) -> web.StreamResponse:
    """What a browser asks before it sends a key across origins."""
    return web.Response(status=204, headers={**CORS, "Access-Control-Max-Age": "600"})


def _no_device(message: str) -> web.Response:
    return refusal(404, NO_DEVICE, success=False, message=message)


def _not_seated(visit: Visit, why: str, message: str) -> web.Response:
    about = {
        "agent_id": visit.body["agent_id"],
        "device_id": visit.text("device_id") or None,
        "computer_name": visit.text("computer_name") or None,
        "reason": why,
    }
    error = "Device offline" if why == "offline" else "Device not found"
    return refusal(404, error, message=message, debug_info=about)


def _refused(request: web.Request, error: OutpostError | None) -> web.Response:
    if error is None:
        return refusal(500, "Internal error")
    if isinstance(error, DeviceUnavailable):
        return _no_device(error.detail)
    detail = "Unauthorized" if isinstance(error, Unauthenticated) else error.detail
    return refusal(_STATUS.get(error.code, error.status), detail)
