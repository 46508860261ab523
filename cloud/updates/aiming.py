"""Which devices somebody means: by name, by group, or by kind, at the sites that he reaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.fleet import state_store
from cloud.fleet.lookup import DEVICE_HINT, Place, find_site, place
from cloud.updates import group_store
from edge.errors import BadInput, Conflict, NotFound, Rejected
from edge.wire.updates import TARGETS_MAX, Target

OLDER = "cms"  # the kind of the boards of which each may become any other over the air
DEVICES_ASKED = 50_000  # of a tenant, in one look
APPROVED = "approved"


class Aimed(msgspec.Struct, frozen=True):
    """A device of a site, as its hub told of it."""

    place: Place
    id: str
    name: str
    kind: str
    approved: bool
    online: bool


class _Told(msgspec.Struct):
    """What of a device's view counts here."""

    name: str = ""
    kind: str = ""
    state: str = ""
    online: bool = False
    aliases: list[str] = []


_decode = msgspec.json.Decoder(_Told).decode


async def aim(connection: AsyncConnection, member: Member, target: Target) -> list[Aimed]:
    """The approved devices of a target, each once. Raises BadInput, NotFound, Conflict, or Rejected where there is
    none, or one that was named is not approved."""
    if sum(map(bool, (target.devices, target.group, target.kind))) != 1:
        raise BadInput("Name either devices, a group or a kind of device.")
    if target.kind == OLDER:
        raise BadInput(
            "Older boards are named one by one, or put into a group: each becomes what the firmware is for,"
            " whatever it is now."
        )
    slugs = {(await find_site(connection, member, slug)).slug for slug in target.sites}
    known = [one for one in await _all(connection, member) if not slugs or one[0].place.slug in slugs]
    if target.devices:
        found = named(known, target.devices)
        for one in found:
            if not one.approved:
                raise Rejected(
                    f"{one.name or one.id} is not approved.", hint="`outpost device approve` lets it in."
                )
    elif target.group:
        members = await group_store.members(connection, member.tenant_id, target.group)
        if members is None:
            raise NotFound(f"There is no group {target.group[:80]!r}.", hint="GET /v1/groups lists them.")
        found = [one for one, _ in known if (one.place.site_id, one.id) in members]
    else:
        found = [one for one, _ in known if one.kind == target.kind]
    live = [one for one in found if one.approved and one.place.state != "revoked"]
    if not live:
        raise Rejected("There is no approved device that this would be rolled out to.")
    if len(live) > TARGETS_MAX:
        raise Rejected(f"These are {len(live)} devices; a rollout has at most {TARGETS_MAX}.")
    return live


async def everywhere(connection: AsyncConnection, member: Member, names: Sequence[str]) -> list[Aimed]:
    """The devices of these ids or names. Raises NotFound, Conflict."""
    return named(await _all(connection, member), names)


async def every_device(connection: AsyncConnection, member: Member) -> list[Aimed]:
    """Every device that a caller reaches."""
    return [one for one, _ in await _all(connection, member)]


def named(known: Sequence[tuple[Aimed, frozenset[str]]], names: Sequence[str]) -> list[Aimed]:
    """Those of these ids, else of these names; `ID@SITE` where several sites have such a one. Raises NotFound,
    Conflict."""
    by_id, by_name = defaultdict(list), defaultdict(list)
    for one, aliases in known:
        by_id[one.id].append(one)
        for alias in aliases:
            by_name[alias].append(one)
    found: dict[tuple[int, str], Aimed] = {}
    for name in names:
        thing, at, slug = name.rpartition("@")
        some = by_id.get(name) or by_name.get(name.casefold())
        if not some and at:
            some = [one for one in by_id.get(thing) or by_name.get(thing.casefold(), []) if one.place.slug == slug]
        if not some:
            raise NotFound(f"There is no device {name[:80]!r}.", hint=DEVICE_HINT)
        if len(some) > 1:
            where = ", ".join(sorted({one.place.slug for one in some})[:5])
            raise Conflict(f"There is a device {name[:80]!r} {len(some)} times: at {where}.", hint="Say ID@SITE.")
        found[some[0].place.site_id, some[0].id] = some[0]
    return list(found.values())


def in_order(devices: Sequence[Aimed], rollout: str, now_us: int) -> list[Aimed]:
    """In the order of their waves: those first that can tell something, and by chance among them, so that each wave
    has devices of many sites; the same whenever it is asked."""

    def key(one: Aimed) -> tuple[bool, bytes]:
        drawn = blake2b(f"{rollout} {one.place.site_id} {one.id}".encode(), digest_size=8).digest()
        return one.place.stale(now_us) or not one.online, drawn

    return sorted(devices, key=key)


async def _all(connection: AsyncConnection, member: Member) -> list[tuple[Aimed, frozenset[str]]]:
    """Every device a caller reaches, each with what it is called."""
    rows = await state_store.states(connection, member, "device", limit=DEVICES_ASKED)
    found = []
    for row in rows:
        try:
            told = _decode(row["view"])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            told = _Told()
        names = frozenset(name.casefold() for name in (told.name, *told.aliases) if name)
        where, approved = place(row, member), told.state == APPROVED
        found.append((Aimed(where, row["id"], told.name, told.kind, approved, told.online), names))
    return found
