"""What holds for people, as pure rules: who may give whom what, and what the audit says of a change."""

from __future__ import annotations

import msgspec
from sqlalchemy import RowMapping

from cloud.accounts.keys import SITES_HINT, SITES_MAX
from cloud.accounts.member import Member
from edge.access.accounts.model import new_reset_code
from edge.access.model import hash_secret
from edge.errors import BadInput, Forbidden, NotFound
from edge.serving.roles import Role

CODE_S = 86_400
WAITING, ACTIVE, DISABLED = "waiting", "active", "disabled"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody to be added. Without `username` one is made from the address."""

    email: str
    role: str
    sites: frozenset[str] = frozenset()
    full_name: str = ""
    username: str = ""
    password: str = ""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is to be from now on; None leaves a thing as it is."""

    role: str | None = None
    sites: frozenset[str] | None = None
    full_name: str | None = None
    email: str | None = None
    state: str | None = None

    @property
    def of_rights(self) -> bool:
        """Whether it says what somebody may."""
        return self.role is not None or self.sites is not None or self.state is not None


def covered(member: Member, row: RowMapping) -> bool:
    """Whether `member` reaches all that this person does."""
    return member.covers(frozenset(row["sites"].split()))


def new_code(now_us: int) -> tuple[str, bytes, int]:
    """A new code, its hash, and until when it is good."""
    code = new_reset_code()
    return code, hash_secret(code), now_us + CODE_S * 1_000_000


def role_of(text: str) -> str:
    """The name of a person's role. Raises BadInput."""
    role = Role.parse(text)
    if role is Role.APP:
        raise BadInput(
            "A person is a viewer, a technician or an admin.", hint="An app has a key: `outpost key create`."
        )
    return role.label


def state_of(text: str) -> str:
    """What an administrator may make of an account. Raises BadInput."""
    if text not in (ACTIVE, DISABLED):
        raise BadInput("An account is made `active` or `disabled`.")
    return text


def require_another(member: Member, row: RowMapping) -> None:
    """Raise Forbidden for oneself."""
    if member.person == row["id"]:
        raise Forbidden(
            "Nobody changes what he himself may, nor resets his own password.",
            hint="Ask another administrator; your password you change with the old one.",
        )


def require_covered(member: Member, sites: frozenset[str]) -> None:
    """Raise Forbidden or NotFound unless `member` reaches these sites: nobody gives more than he has."""
    if len(sites) > SITES_MAX:
        raise BadInput(f"A person has at most {SITES_MAX} sites; one who has none named reaches all.")
    if not sites and member.sites:
        raise Forbidden(
            "You reach some sites only, so whom you add has his own too.", hint="Give `sites` of those you reach."
        )
    if not member.covers(sites):
        raise NotFound("There is no such site.", hint=SITES_HINT)


def what_it_was(before: RowMapping, changed: dict[str, object]) -> str:
    """What the audit calls a change."""
    if "state" not in changed:
        return "person.changed"
    if changed["state"] == DISABLED:
        return "person.disabled"
    return "person.approved" if before["state"] == WAITING else "person.enabled"


def told(before: RowMapping, after: RowMapping, changed: dict[str, object]) -> dict[str, object]:
    """What the audit says: what was changed, and of what somebody may, from what to what."""
    told: dict[str, object] = {"username": after["username"], "changed": sorted(changed)}
    if "role" in changed:
        told |= {"role": after["role"], "role_before": before["role"]}
    if "sites" in changed:
        told |= {"sites": after["sites"].split(), "sites_before": before["sites"].split()}
    return told
