"""/v1/keys, /v1/tenants and /v1/audit."""

from __future__ import annotations

import msgspec
from sqlalchemy import RowMapping

from cloud.accounts import audit_store
from cloud.accounts.keys import Keys, NewKey
from cloud.accounts.member import member, require_machine
from cloud.accounts.tenants import Tenants
from cloud.db.database import Database
from edge.clock import iso
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire import views
from edge.wire.centre import AuditView, CreateSiteKey, CreateTenant, NewTenant, SiteKeyView, TenantView


class AccountRoutes:
    """The routes of this capability."""

    def __init__(self, database: Database, keys: Keys, tenants: Tenants) -> None:
        self._db, self._keys, self._tenants = database, keys, tenants

    def all(self) -> list[Route]:
        """Every route."""
        admin = Role.ADMIN
        make = "Make a key, or take over one that older clients have compiled in"
        changes = "Who changed what here, the newest first"
        tenant = "Make a tenant: on the centre's own machine only"
        return [
            Route("GET", "/v1/keys", self.keys, "Keys, without secrets", admin, returns=SiteKeyView, many=True),
            Route(
                "POST", "/v1/keys", self.make_key, make, admin,
                body=CreateSiteKey, returns=views.NewKey, created=True,
            ),
            Route("DELETE", "/v1/keys/{id}", self.revoke_key, "Refuse a key from now on", admin),
            Route(
                "GET", "/v1/audit", self.audit, changes, admin, returns=AuditView, many=True, query=("site",)
            ),
            Route(
                "GET", "/v1/tenants", self.tenants, "All tenants: on the centre's own machine only", admin,
                returns=TenantView, many=True, also=require_machine,
            ),
            Route(
                "POST", "/v1/tenants", self.make_tenant, tenant, admin,
                body=CreateTenant, returns=NewTenant, created=True, also=require_machine,
            ),
        ]  # fmt: skip

    async def keys(self, call: Call) -> Answer:
        """GET /v1/keys."""
        return Page([_key_view(row) for row in await self._keys.listed(member(call))])

    async def make_key(self, call: Call) -> Answer:
        """POST /v1/keys."""
        asked: CreateSiteKey = call.body
        role = Role.parse(asked.role)
        wanted = NewKey(
            name=asked.name, role=role, scope=asked.scope, secret=asked.secret, sites=frozenset(asked.sites)
        )
        key_id, secret = await self._keys.create(member(call), wanted)
        return Created(views.NewKey(id=key_id, name=asked.name, role=role.label, scope=asked.scope, key=secret))

    async def revoke_key(self, call: Call) -> Answer:
        """DELETE /v1/keys/{id}."""
        await self._keys.revoke(member(call), call.param("id"))
        return None

    async def audit(self, call: Call) -> Answer:
        """GET /v1/audit?site=; a site that is not there, or not reached, has no changes."""
        caller, limit = member(call), call.limit()
        async with self._db.read() as connection:
            rows = await audit_store.changes(
                connection,
                caller.tenant_id,
                slug=call.query("site"),
                reached=caller.sites,
                before=call.cursor(),
                limit=limit,
            )
        return Page([_audit_view(row) for row in rows], str(rows[-1]["id"]) if len(rows) == limit else None)

    async def tenants(self, call: Call) -> Answer:
        """GET /v1/tenants."""
        return Page(
            [
                TenantView(id=row["id"], name=row["name"], created_at=iso(row["created_us"]), sites=row["sites"])
                for row in await self._tenants.listed()
            ]
        )

    async def make_tenant(self, call: Call) -> Answer:
        """POST /v1/tenants."""
        asked: CreateTenant = call.body
        tenant_id, secret = await self._tenants.create(member(call), asked.name)
        return Created(NewTenant(id=tenant_id, name=asked.name, key=secret))


def _key_view(row: RowMapping) -> SiteKeyView:
    return SiteKeyView(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        scope=row["scope"],
        weak=row["weak"],
        created_at=iso(row["created_us"]),
        created_by=row["created_by"],
        revoked_at=iso(row["revoked_us"]) if row["revoked_us"] else None,
        last_used_at=iso(row["used_us"]) if row["used_us"] else None,
        sites=row["sites"].split(),
    )


def _audit_view(row: RowMapping) -> AuditView:
    return AuditView(
        id=row["id"],
        at=iso(row["at_us"]),
        actor=row["actor"],
        what=row["what"],
        site=row["slug"] or "",
        subject=row["subject"],
        detail=msgspec.json.decode(row["detail"]),
    )
