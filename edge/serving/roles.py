"""Who may: roles, and who is calling.

People and machines have a role, viewer < technician < admin. A key for an app has the role `app` and reaches just
the routes an app needs. A key that older clients have compiled in is confined to its old system's paths by `scope`.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from edge.errors import BadInput, Forbidden

PEOPLE = "people"  # the scope of somebody who shows the token of an account (accounts.py)


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
