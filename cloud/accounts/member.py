"""Who is calling at the centre: somebody of one tenant, who reaches all of its sites or some."""

from __future__ import annotations

from edge.errors import Forbidden
from edge.serving.roles import Principal
from edge.serving.routing import Call


class Member(Principal, frozen=True):
    """A caller of one tenant. `sites`: the slugs he reaches, empty for all of the tenant's."""

    tenant_id: int = 0
    sites: frozenset[str] = frozenset()

    def reaches(self, slug: str) -> bool:
        """Whether this caller may see and use the site."""
        return not self.sites or slug in self.sites


def member(call: Call) -> Member:
    """Who makes this call. Every query takes its tenant from here, and from nowhere else."""
    if not isinstance(call.principal, Member):
        raise Forbidden("This is for members of a tenant.")
    return call.principal
