"""Who is calling at the centre: somebody of one tenant, who reaches all of its sites or some."""

from __future__ import annotations

from edge.errors import Forbidden
from edge.serving.roles import Principal
from edge.serving.routing import Call

FIRST_TENANT = 1  # whose the machine's own logins are


class Member(Principal, frozen=True):
    """A caller of one tenant. `sites`: the slugs he reaches, empty for all of the tenant's.

    `at_machine`: he is logged in on the machine the centre runs on, not here by a key. `person`, `login`: the ids
    of his account and of how he is logged in, '' for a key.
    """

    tenant_id: int = 0
    sites: frozenset[str] = frozenset()
    at_machine: bool = False
    person: str = ""
    login: str = ""

    def covers(self, sites: frozenset[str]) -> bool:
        """Whether this caller reaches all that somebody with these `sites` does."""
        return not self.sites or (bool(sites) and sites <= self.sites)


def member(call: Call) -> Member:
    """Who makes this call. Every query takes its tenant from here, and from nowhere else."""
    if not isinstance(call.principal, Member):
        raise Forbidden("This is for members of a tenant.")
    return call.principal


def require_machine(principal: Principal) -> None:
    """Raise Forbidden unless this is a login on the centre's own machine."""
    if not isinstance(principal, Member) or not principal.at_machine:
        raise Forbidden(
            "Tenants are made and seen on the centre's own machine only.",
            hint="Log in there: `outpost tenant create NAME`.",
        )


def require_all_sites(principal: Principal) -> None:
    """Raise Forbidden unless this is somebody who reaches all sites of his tenant."""
    if not isinstance(principal, Member) or principal.sites:
        raise Forbidden("This is of no site, so it takes a key for all sites.", hint="Use a key without `--sites`.")
