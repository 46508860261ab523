"""/v1/assets and the rules of sites, as hubs told them; and what head office asks of them, which goes to the hub.

What a hub has not confirmed is told as it was asked for, and as pending: it may be away.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from cloud.accounts.member import Member, member
from cloud.assets.bands import CentreBands
from cloud.assets.definitions import ASSET
from cloud.assets.lookup import chosen, find_asset, rules_of, scope
from cloud.assets.views import asked_of, asset_view, new_asset, unseen_stop
from cloud.assets.waiting import waiting
from cloud.db.database import Database
from cloud.fleet import state_store
from cloud.fleet.asking import Asking
from cloud.fleet.cursor import behind_of, cursor_of
from cloud.fleet.lookup import Found, find_device, find_site, found
from cloud.fleet.views import readable
from edge.assets.answers import stops
from edge.assets.defined import forms, texts
from edge.clock import Clock, iso
from edge.errors import BadInput, NotFound
from edge.serving.moments import moment
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.assets import ChangeAsset, GiveReason, NewAsset, Wire
from edge.wire.centre import SiteAsset, SiteStop
from edge.wire.values import TIME_MAX_US

SITE = ("site",)
AHEAD_US = 60_000_000  # as a hub has it: clocks of people differ
STOP_DIGITS = len(str(TIME_MAX_US))


class AssetRoutes:
    """The routes of assets and of reasons given to their stops."""

    def __init__(self, asking: Asking, database: Database, clock: Clock) -> None:
        self._asking, self._db, self._clock = asking, database, clock

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, view, one = Role.VIEWER, Role.TECHNICIAN, SiteAsset, "/v1/assets/{id}"
        asks = ("line", "device", "removed", "site")
        every = "Every machine that is watched at all sites, and how it stands; `removed=1`: removed ones too"
        add, change = "Watch one", "Change or remove it"
        wire = "Say which input tells of it, from now or `at` a time on"
        give, reason = "Say why it stood still", one + "/stops/{stop}/reason"
        return [
            Route("GET", "/v1/assets", self.every, every, viewer, returns=view, many=True, query=asks),
            Route("POST", "/v1/assets", self.add, add, tech, body=NewAsset, returns=view, created=True, query=SITE),
            Route("GET", one, self.one, "One machine, and how it stands", viewer, returns=view, query=SITE),
            Route("PATCH", one, self.change, change, tech, body=ChangeAsset, returns=view, query=SITE),
            Route("PUT", one + "/wiring", self.wire, wire, tech, body=Wire, returns=view, query=SITE),
            Route("PUT", reason, self.give, give, tech, body=GiveReason, returns=SiteStop, query=SITE),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/assets?line=&device=&removed=1&site=. A page may have fewer than the limit."""
        caller, site, line = member(call), call.query("site"), call.query("line").casefold()
        removed, device = call.query("removed") not in ("", "0"), ""
        async with self._db.read() as connection:
            if call.query("device"):
                place = await find_device(connection, caller, call.query("device"), site)
                site, device = place.place.slug, place.id
            elif site:
                await find_site(connection, caller, site)
            behind, limit = behind_of(call.query("cursor")), call.limit()
            rows, more = await state_store.page(
                connection, caller, ASSET, site=site, device=device, behind=behind, limit=limit
            )
            assets = [found(row, caller) for row in rows]
            asked = await waiting(connection, caller, [each.place for each in assets])
        now_us, places = self._clock.now().at_us, {each.place.slug: each.place for each in assets}
        views = readable(asset_view, assets, now_us)
        wanted = [view for view in views if (removed or not view.removed) and line in ("", view.line.casefold())]
        wanted = [asked.asked(places[view.site], view) for view in wanted]
        return Page(wanted, cursor_of(assets[-1]) if more and assets else None)

    async def one(self, call: Call) -> Answer:
        """GET /v1/assets/{id}?site=."""
        asset = await self._asset(call)
        async with self._db.read() as connection:
            asked = await waiting(connection, member(call), [asset.place])
        return asked.asked(asset.place, self._view(asset))

    async def add(self, call: Call) -> Answer:
        """POST /v1/assets?site=: it has its id from here, so that it is added once."""
        wanted: NewAsset = call.body
        caller = member(call)
        async with self._db.read() as connection:
            device = await find_device(connection, caller, wanted.device, call.query("site"))
        request = self._wiring(wanted, device)
        request |= {"name": texts.name(wanted.name), "line": texts.line(wanted.line)}
        asset_id = f"asset-{secrets.token_hex(4)}"
        await self._ask(caller, device, "add", asset_id, "asset.added", request)
        async with self._db.read() as connection:
            rows = await state_store.states(
                connection, caller, ASSET, site=device.place.slug, thing=asset_id, limit=1
            )
        if rows:
            return Created(self._view(found(rows[0], caller)))
        return Created(new_asset(device, asset_id, request, self._clock.now().at_us))

    async def change(self, call: Call) -> Answer:
        """PATCH /v1/assets/{id}?site=."""
        wanted: ChangeAsset = call.body
        changes = forms.changes(wanted)
        asset = await self._asset(call)
        what = "asset.removed" if wanted.removed else "asset.changed"
        await self._ask(member(call), asset, "change", asset.id, what, changes)
        return asked_of(self._view(await self._asset(call, asset)), changes)

    async def wire(self, call: Call) -> Answer:
        """PUT /v1/assets/{id}/wiring?site=."""
        wanted: Wire = call.body
        caller, asset = member(call), await self._asset(call)
        async with self._db.read() as connection:
            device = await find_device(connection, caller, wanted.device, asset.place.slug)
        request = self._wiring(wanted, device)
        done = await self._ask(caller, asset, "wire", asset.id, "asset.wired", request)
        view = self._view(await self._asset(call, asset))
        if wanted.at is None:
            return asked_of(view, {name: request[name] for name in ("device", "input", "inverted")})
        return msgspec.structs.replace(view, pending=[] if done else ["wirings"])

    async def give(self, call: Call) -> Answer:
        """PUT /v1/assets/{id}/stops/{stop}/reason?site=."""
        wanted: GiveReason = call.body
        caller, asset, began_us = member(call), await self._asset(call), _began(call.param("stop"))
        async with self._db.read() as connection:
            rules = await rules_of(connection, caller, [asset.place])
            asked = await waiting(connection, caller, [asset.place])
        known = next((one for one in rules[asset.place.slug].reasons if one.id == wanted.reason), None)
        request = {"stop": str(began_us), **msgspec.to_builtins(wanted), "note": texts.note(wanted.note)}
        said = {"reason_name": known.name if known else ""}
        view = self._view(asset)
        one = chosen(view, {asset.place.slug: asset.place})
        about, bands = scope([one], rules, self._clock.now().at_us), CentreBands(self._db, caller.tenant_id)
        if asset.place.stale(self._clock.now().at_us):  # a hub that is there says so itself, and knows more
            if wanted.reason and known is None and not asked.has_reason(asset.place, wanted.reason):
                raise NotFound(f"There is no reason {wanted.reason!r}.", hint="`outpost reason list` shows them.")
            if view.stop != str(began_us) and await stops.stop(bands, about, one.key, began_us) is None:
                raise NotFound(
                    f"No stop of {one.name} began at {began_us}.", hint="`outpost asset stops` lists them."
                )
        await self._ask(caller, asset, "explain", asset.id, "asset.explained", request, **said)
        stop = await stops.stop(bands, about, one.key, began_us) or unseen_stop(one, began_us)
        told = msgspec.convert(stop, SiteStop, from_attributes=True)
        if (told.reason, told.note) == (wanted.reason, wanted.note.strip()):
            return told
        now = iso(self._clock.now().at_us)
        given = {**msgspec.to_builtins(wanted), **said, "said_by": caller.actor, "said_at": now}
        return msgspec.structs.replace(told, **given, pending=True)

    async def _ask(
        self, caller: Member, at: Found, do: str, asset_id: str, audit: str, request: dict[str, Any], **said: str
    ) -> bool:
        """Have a hub do it; `said` is for the audit alone. Whether it has been done. Raises what it says against
        it."""
        body, detail = {"do": do, "asset": asset_id, **request}, {"asset": asset_id, **request, **said}
        detail.pop("asked_us", None)
        word = await self._asking.ask(caller, at.place, "asset", body, audit=audit, subject=asset_id, detail=detail)
        return word is not None

    def _wiring(self, wanted: NewAsset | Wire, device: Found) -> dict[str, Any]:
        """What is asked of the hub, which may hear of it later: `at` as it is meant now. Raises BadInput."""
        now_us = self._clock.now().at_us
        request = {**msgspec.to_builtins(wanted), "device": device.id, "input": texts.input_key(wanted.input)}
        if wanted.at is None:
            return {**request, "asked_us": now_us}
        at_us = moment("at", wanted.at, now_us)
        if at_us > now_us + AHEAD_US:
            raise BadInput("A wiring begins now or in the past.")
        return {**request, "at": iso(at_us)}

    async def _asset(self, call: Call, known: Found | None = None) -> Found:
        name, site = (call.param("id"), call.query("site")) if known is None else (known.id, known.place.slug)
        async with self._db.read() as connection:
            return await find_asset(connection, member(call), name, site)

    def _view(self, asset: Found) -> SiteAsset:
        return asset_view(asset, self._clock.now().at_us)


def _began(stop: str) -> int:
    is_number = stop.isascii() and stop.isdecimal() and len(stop) <= STOP_DIGITS
    if not is_number or int(stop) > TIME_MAX_US:
        raise NotFound(f"There is no stop {stop[:STOP_DIGITS]!r}.", hint="`outpost asset stops` lists them.")
    return int(stop)
