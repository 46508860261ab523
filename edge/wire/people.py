"""The JSON of /v1/users: accounts of people who use the older apps."""

from __future__ import annotations

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
