"""Roles and keys as pure rules.

People and machines have a role, viewer < technician < admin. A key for an app has the role `app` and reaches just
the routes an app needs. A key that older clients have compiled in is confined to its old system's paths by `scope`.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import IntEnum

import msgspec

from edge.errors import BadInput, Forbidden

SECRET_BYTES = 32
ID_BYTES = 4
OLD_SYSTEMS = frozenset({"nic"})  # the older systems a key can be imported for
PEOPLE = "people"  # the scope of somebody who shows the token of an account (accounts.py)
IMPORT_MIN_CHARS = 8  # shorter ones are guessed in an afternoon at the allowed rate


class Role(IntEnum):
    """Higher may do all that lower may. APP stands apart: it is checked by route, never by order."""

    NONE = 0
    APP = 1
    VIEWER = 2
    TECHNICIAN = 3
    ADMIN = 4

    @classmethod
    def parse(cls, text: str) -> Role:
        """The role of that name. Raises BadInput."""
        try:
            role = cls[text.upper()]
        except KeyError:
            role = cls.NONE
        if role is cls.NONE:
            raise BadInput(f"There is no role {text!r}.", hint="Roles are viewer, technician, admin and app.")
        return role

    @property
    def label(self) -> str:
        """The name people use."""
        return self.name.lower()


class Principal(msgspec.Struct, frozen=True):
    """Who is calling: a key, a login on this machine, or nobody. `actor` is what the audit says."""

    actor: str
    role: Role
    scope: str = ""

    def require(self, role: Role, *, app: bool = False) -> None:
        """Raise Forbidden unless this caller has `role`, or is an app on a route that apps may use."""
        if self.scope == PEOPLE:
            raise Forbidden(
                "The token of an account opens the older apps' paths, not this API.",
                hint="Use a key: `outpost key create NAME --role ROLE` makes one.",
            )
        if self.scope:
            raise Forbidden(f"This key works on the paths of the older system {self.scope!r} only.")
        if self.role is Role.APP:
            if not app:
                raise Forbidden("A key for an app does not reach this.")
        elif self.role < role:
            raise Forbidden(f"This needs the role {role.label}.")


NOBODY = Principal("nobody", Role.NONE)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as stored: only its hash."""

    id: str
    name: str
    role: Role
    scope: str
    hash: bytes
    weak: bool
    created_us: int
    created_by: str
    revoked_us: int | None = None

    @property
    def principal(self) -> Principal:
        """Who a caller with this key is."""
        return Principal(f"key:{self.name}", self.role, self.scope)


def new_secret() -> tuple[str, str]:
    """A new key's public id and its whole secret, 256 random bits behind the id."""
    key_id = secrets.token_hex(ID_BYTES)
    return key_id, f"op_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"


def hash_secret(secret: str) -> bytes:
    """What is stored and looked up. Random keys need no slow hash; imported ones are weak whatever the hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
