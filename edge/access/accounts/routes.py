"""/v1/users: accounts of the people who use the older apps; /v1/devices/{id}/owner: whose a device is."""

from __future__ import annotations

from collections.abc import Callable

from edge.access.accounts.accounts import Accounts
from edge.access.accounts.model import RESET_S, User, username_from
from edge.access.accounts.resets import Resets
from edge.clock import iso
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.people import NewPassword, NewUser, ResetCode, UserView


class AccountRoutes:
    """The routes of this capability. `owned(user_id)` counts the devices of an account."""

    def __init__(self, accounts: Accounts, resets: Resets, owned: Callable[[str], int]) -> None:
        self._accounts, self._resets, self._owned = accounts, resets, owned

    def all(self) -> list[Route]:
        """Every route."""
        admin, view, one = Role.ADMIN, UserView, "/v1/users/{user}"
        add, reset = "Make an account, open at once", "A code to set a new password with, good once and for an hour"
        approve, disable = "Let somebody who signed up log in", "Shut an account; its logins end at once"
        renew = "Set a password; every login of the account ends"
        delete = "Erase an account; its devices stay, without an owner"
        every = "All accounts, those who wait for approval first"
        return [
            Route("GET", "/v1/users", self.every, every, admin, returns=view, many=True),
            Route("POST", "/v1/users", self.add, add, admin, body=NewUser, returns=view, created=True),
            Route("DELETE", one, self.delete, delete, admin),
            Route("POST", one + "/approve", self.approve, approve, admin, returns=view),
            Route("POST", one + "/disable", self.disable, disable, admin, returns=view),
            Route("POST", one + "/enable", self.enable, "Open a shut account again", admin, returns=view),
            Route("PUT", one + "/password", self.password, renew, admin, body=NewPassword),
            Route("POST", one + "/reset", self.reset, reset, admin, returns=ResetCode, created=True),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/users."""
        return Page([self._view(user) for user in self._accounts.all()])

    async def add(self, call: Call) -> Answer:
        """POST /v1/users."""
        wanted: NewUser = call.body
        username = wanted.username or username_from(
            wanted.email, lambda name: self._accounts.find(name) is not None
        )
        user = await self._accounts.add(wanted.email, username, wanted.password, wanted.full_name, actor=call.actor)
        return Created(self._view(user))

    async def delete(self, call: Call) -> Answer:
        """DELETE /v1/users/{user}."""
        await self._accounts.delete(self._user(call), actor=call.actor)
        return None

    async def approve(self, call: Call) -> Answer:
        """POST /v1/users/{user}/approve."""
        return self._view(await self._accounts.approve(self._user(call), actor=call.actor))

    async def disable(self, call: Call) -> Answer:
        """POST /v1/users/{user}/disable."""
        return self._view(await self._accounts.set_disabled(self._user(call), True, actor=call.actor))

    async def enable(self, call: Call) -> Answer:
        """POST /v1/users/{user}/enable."""
        return self._view(await self._accounts.set_disabled(self._user(call), False, actor=call.actor))

    async def password(self, call: Call) -> Answer:
        """PUT /v1/users/{user}/password."""
        wanted: NewPassword = call.body
        await self._accounts.set_password(self._user(call), wanted.password, actor=call.actor)
        return None

    async def reset(self, call: Call) -> Answer:
        """POST /v1/users/{user}/reset."""
        user = self._user(call)
        code = await self._resets.make(user, actor=call.actor)
        return Created(ResetCode(user=user.id, email=user.email, code=code, valid_s=float(RESET_S)))

    def _user(self, call: Call) -> User:
        return self._accounts.get(call.param("user"))

    def _view(self, user: User) -> UserView:
        return UserView(
            id=user.id,
            email=user.email,
            username=user.username,
            full_name=user.full_name,
            state="disabled" if user.disabled else "active" if user.approved else "waiting",
            logins=len(self._accounts.sessions_of(user.id)),
            devices=self._owned(user.id),
            created_at=iso(user.created_us),
            created_by=user.created_by,
        )
