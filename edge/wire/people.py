"""The JSON of people: at the hub /v1/users, the accounts of those who use the older apps; at the centre /v1/people,
/v1/logins and /v1/me."""

from __future__ import annotations

import msgspec

from edge.wire.views import Request, View


class UserView(View, frozen=True, kw_only=True):
    """One account. `state`: `waiting` (for approval), `active` or `disabled`. `logins`: how many are open."""

    id: str
    email: str
    username: str
    full_name: str
    state: str
    logins: int
    devices: int
    created_at: str
    created_by: str


class ResetCode(View, frozen=True, kw_only=True):
    """A code with which a person sets a new password once; shown this once."""

    user: str
    email: str
    code: str
    valid_s: float


class NewUser(Request, frozen=True, kw_only=True):
    """POST /v1/users. Without `username`, one is made from the address."""

    email: str
    password: str
    username: str = ""
    full_name: str = ""


class NewPassword(Request, frozen=True, kw_only=True):
    """PUT /v1/users/{user}/password."""

    password: str


class SetOwner(Request, frozen=True, kw_only=True):
    """PUT /v1/devices/{id}/owner: the account's id, address or username; '' for nobody."""

    user: str


class PersonView(View, frozen=True, kw_only=True):
    """Somebody at the centre. `sites`: those he reaches, empty for all. `state`: `waiting` (for an administrator to
    open it), `active` or `disabled`. `seen_at`: when he was last here, null for never."""

    id: str
    email: str
    username: str
    full_name: str
    role: str
    sites: list[str]
    state: str
    has_password: bool
    created_at: str
    created_by: str
    seen_at: str | None


class CreatePerson(Request, frozen=True, kw_only=True):
    """POST /v1/people. Without `username`, one is made from the address; without `password`, he sets his own with
    the code that is answered."""

    email: str
    role: str
    sites: list[str] = msgspec.field(default_factory=list)
    full_name: str = ""
    username: str = ""
    password: str = ""


class NewPerson(View, frozen=True, kw_only=True):
    """Somebody just added. `code`: with which he sets his password once, until `code_until`; shown this once. Both
    are '' where a password was given."""

    person: PersonView
    code: str
    code_until: str


class ChangePerson(Request, frozen=True, kw_only=True):
    """PATCH /v1/people/{id}: what is left out stays. `state`: `active` or `disabled`; `sites`: [] for all."""

    role: str | msgspec.UnsetType = msgspec.UNSET
    sites: list[str] | msgspec.UnsetType = msgspec.UNSET
    full_name: str | msgspec.UnsetType = msgspec.UNSET
    email: str | msgspec.UnsetType = msgspec.UNSET
    state: str | msgspec.UnsetType = msgspec.UNSET


class PersonCode(View, frozen=True, kw_only=True):
    """A code with which somebody sets a new password once, until `until`; shown this once."""

    person: PersonView
    code: str
    until: str


class SetPassword(Request, frozen=True, kw_only=True):
    """PUT /v1/people/{id}/password."""

    password: str


class LoginView(View, frozen=True, kw_only=True):
    """One open login. `person` is his id; `kind`: `web`, or of an older system's app (`things`, `assets`);
    `seen_at` to the minute; `address` and `agent`: where it began; `current`: the one this was asked with."""

    id: str
    person: str
    username: str
    kind: str
    created_at: str
    seen_at: str
    until: str
    address: str
    agent: str
    current: bool


class MeView(View, frozen=True, kw_only=True):
    """Who asks. `tenant` is its name; `person` is null for a key, and for a login on the machine."""

    actor: str
    role: str
    sites: list[str]
    tenant: str
    person: PersonView | None


class ChangeMe(Request, frozen=True, kw_only=True):
    """PATCH /v1/me."""

    full_name: str


class ChangePassword(Request, frozen=True, kw_only=True):
    """POST /v1/me/password: every other login of his ends."""

    old: str
    new: str
