"""/v1/keys: made, imported, listed, revoked."""

from __future__ import annotations

from edge.access.keys import Keys
from edge.access.model import Key
from edge.clock import iso
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.views import CreateKey, KeyView, NewKey


class KeyRoutes:
    """The routes of this capability."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def all(self) -> list[Route]:
        """Every route."""
        admin = Role.ADMIN
        make = "Make a key, or take over one that older clients have compiled in"
        return [
            Route("GET", "/v1/keys", self.list, "All keys, without secrets", admin, returns=KeyView, many=True),
            Route("POST", "/v1/keys", self.create, make, admin, body=CreateKey, returns=NewKey, created=True),
            Route("DELETE", "/v1/keys/{id}", self.revoke, "Refuse a key from now on", admin),
        ]

    async def list(self, call: Call) -> Answer:
        """GET /v1/keys."""
        return Page([_view(key, used_us) for key, used_us in self._keys.listed()])

    async def create(self, call: Call) -> Answer:
        """POST /v1/keys."""
        wanted: CreateKey = call.body
        role = Role.parse(wanted.role)
        if wanted.secret:
            key = await self._keys.import_(wanted.name, role, wanted.scope, wanted.secret, actor=call.actor)
            return Created(NewKey(id=key.id, name=key.name, role=key.role.label, scope=key.scope, key=""))
        if wanted.scope:
            raise BadInput("Only an imported key has a scope.", hint="Leave `scope` out, or give the `secret` too.")
        key, secret = await self._keys.create(wanted.name, role, actor=call.actor)
        return Created(NewKey(id=key.id, name=key.name, role=key.role.label, scope=key.scope, key=secret))

    async def revoke(self, call: Call) -> Answer:
        """DELETE /v1/keys/{id}."""
        await self._keys.revoke(call.param("id"), actor=call.actor)
        return None


def _view(key: Key, used_us: int | None) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        role=key.role.label,
        scope=key.scope,
        weak=key.weak,
        created_at=iso(key.created_us),
        created_by=key.created_by,
        revoked_at=iso(key.revoked_us) if key.revoked_us else None,
        last_used_at=iso(used_us) if used_us else None,
    )
