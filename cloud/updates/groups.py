"""Groups of devices over sites. Whoever reaches some sites only sees and sets what of a group is there."""

from __future__ import annotations

from collections.abc import Sequence

from cloud.accounts import store as accounts_sql
from cloud.accounts.audit import record
from cloud.accounts.keys import check_name
from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.fleet.lookup import all_sites
from cloud.updates import group_store as sql
from cloud.updates.aiming import Aimed, every_device, everywhere
from cloud.updates.rollouts import reach
from edge.clock import Clock
from edge.errors import Conflict, Forbidden, NotFound
from edge.wire.centre import GroupMember, SiteGroup

GROUPS_MAX = 200
HINT = "`outpost firmware group list` shows them."


class Groups:
    """Those of all tenants."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    async def all(self, member: Member) -> list[SiteGroup]:
        """By name, each with the devices that the caller reaches."""
        async with self._db.read() as connection:
            slugs = {place.site_id: place.slug for place in await all_sites(connection, member)}
            found: dict[str, list[GroupMember]] = {
                name: [] for name in await sql.names(connection, member.tenant_id)
            }
            for name, site_id, device in await sql.all_members(connection, member.tenant_id):
                if site_id in slugs:
                    found[name].append(GroupMember(site=slugs[site_id], device=device))
        return [_view(name, members) for name, members in found.items()]

    async def one(self, member: Member, name: str) -> SiteGroup:
        """One of them, its devices with their names. Raises NotFound."""
        async with self._db.read() as connection:
            slugs = {place.site_id: place.slug for place in await all_sites(connection, member)}
            members = await sql.members(connection, member.tenant_id, name)
            if members is None:
                raise NotFound(f"There is no group {name[:80]!r}.", hint=HINT)
            known = {(one.place.site_id, one.id): one for one in await every_device(connection, member)}
        found = [
            _member(slugs[site_id], device, known.get((site_id, device)))
            for site_id, device in members
            if site_id in slugs
        ]
        return _view(name, found)

    async def set(self, member: Member, name: str, named: Sequence[str]) -> SiteGroup:
        """These devices are all of the group, as far as the caller reaches. Raises NotFound, BadInput, Conflict."""
        check_name(name, "A group")
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            await accounts_sql.lock_tenant(connection, member.tenant_id)
            mine = await reach(connection, member)
            devices = await everywhere(connection, member, named) if named else []
            wanted = {(one.place.site_id, one.id) for one in devices}
            before = await sql.members(connection, member.tenant_id, name)
            if before is None:
                if len(await sql.names(connection, member.tenant_id)) >= GROUPS_MAX:
                    raise Conflict(f"There are {GROUPS_MAX} groups already.", hint="Remove one that is not needed.")
                at = {"created_us": now_us, "created_by": member.actor}
                await sql.insert_group(connection, tenant_id=member.tenant_id, name=name, **at)
            seen = {one for one in before or () if mine is None or one[0] in mine}
            removed, added = seen - wanted, wanted - seen
            await sql.set_members(connection, member.tenant_id, name, removed=removed, added=added)
            if removed or added or before is None:
                detail = {"devices": len(wanted), "added": len(added), "removed": len(removed)}
                await record(connection, member, "group.set", at_us=now_us, subject=name, detail=detail)
        return _view(name, [GroupMember(site=one.place.slug, device=one.id) for one in devices])

    async def remove(self, member: Member, name: str) -> None:
        """It is a group no longer. Raises NotFound, Forbidden where it has devices beyond the caller's reach."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            members = await sql.members(connection, member.tenant_id, name)
            if members is None:
                raise NotFound(f"There is no group {name[:80]!r}.", hint=HINT)
            mine = await reach(connection, member)
            if mine is not None and {site_id for site_id, _ in members} - set(mine):
                raise Forbidden("This group has devices at sites that you do not reach.", hint="Ask who does.")
            await sql.remove(connection, member.tenant_id, name)
            await record(connection, member, "group.removed", at_us=now_us, subject=name)


def _member(site: str, device: str, seen: Aimed | None) -> GroupMember:
    if seen is None:
        return GroupMember(site=site, device=device, known=False)
    return GroupMember(site=site, device=device, name=seen.name, kind=seen.kind)


def _view(name: str, members: Sequence[GroupMember]) -> SiteGroup:
    ordered = sorted(members, key=lambda one: (one.device, one.site))
    return SiteGroup(name=name, devices=[one.device for one in ordered], members=ordered)
