"""/v1/keys and /v1/tenants."""

from __future__ import annotations

from sqlalchemy import RowMapping

from cloud.accounts.keys import Keys, NewKey
from cloud.accounts.member import member, require_machine
from cloud.accounts.tenants import Tenants
from edge.clock import iso
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire import views
from edge.wire.centre import CreateSiteKey, CreateTenant, NewTenant, SiteKeyView, TenantView


class AccountRoutes:
    """The routes of this capability."""

    def __init__(self, keys: Keys, tenants: Tenants) -> None:
        self._keys, self._tenants = keys, tenants

    def all(self) -> list[Route]:
        """Every route."""
        admin = Role.ADMIN
        make = "Make a key, or take over one that older clients have compiled in"
        tenant = "Make a tenant: on the centre's own machine only"
        return [
            Route("GET", "/v1/keys", self.keys, "Keys, without secrets", admin, returns=SiteKeyView, many=True),
            Route(
                "POST", "/v1/keys", self.make_key, make, admin,
                body=CreateSiteKey, returns=views.NewKey, created=True,
            ),
            Route("DELETE", "/v1/keys/{id}", self.revoke_key, "Refuse a key from now on", admin),
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
