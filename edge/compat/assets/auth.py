"""The older asset logger's accounts, as its pages know them: /api/auth/login, register, me and logout.

The accounts are the same as those of the other older apps, at a hub and at the centre. Its pages log out at any
401, so nothing here answers one but a token that is no good (any more); a wrong password is a 400. They cannot
renew a token, so theirs lasts a working day. What they show besides is in pages/.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from edge.access.accounts.model import NotActive, User, WrongLogin, username_from
from edge.compat.thingsnxt.accounts import MADE, WAITS, Accounts
from edge.compat.thingsnxt.door import Door, bearer, preflight, read, reply, require_reader
from edge.errors import Conflict, OutpostError, RateLimited, Unauthenticated
from edge.serving import visits
from edge.serving.visits import AiohttpHandler

WRONG = "Invalid email or password"


class Login(msgspec.Struct):
    """POST /api/auth/login: an address, or a username in either field."""

    password: str
    email: str = ""
    username: str = ""


class Register(msgspec.Struct):
    """POST /api/auth/register. `name` is what people call him."""

    email: str
    password: str
    name: str = ""
    username: str = ""


_login, _register = msgspec.json.Decoder(Login), msgspec.json.Decoder(Register)


class AssetAuth:
    """The facade: `routes` for the application. `address_of` names who is counted as one caller."""

    def __init__(self, door: Door, accounts: Accounts, address_of: Callable[[web.Request], str]) -> None:
        self._door, self._accounts, self._address_of = door, accounts, address_of

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Every path."""
        return {
            ("POST", "/api/auth/login"): self._guarded(self.login),
            ("POST", "/api/auth/register"): self._guarded(self.register),
            ("GET", "/api/auth/me"): self._guarded(self.me),
            ("POST", "/api/auth/logout"): self._guarded(self.logout),
        }

    def routes(self) -> list[web.RouteDef]:
        """Every path, and the browser's preflights."""
        table = self.table()
        return [
            *(web.route(method, path, handler) for (method, path), handler in table.items()),
            *(web.options(path, preflight) for path in sorted({path for _, path in table})),
        ]

    async def login(self, request: web.Request) -> web.Response:
        """POST /api/auth/login."""
        require_reader(request)
        self._door.gate.count_address(request)
        form = read(await self._door.body(request), _login)
        try:
            name = form.email or form.username
            pair = await self._accounts.log_in(name, form.password, self._address_of(request))
        except WrongLogin:
            return refusal(400, WRONG)
        except NotActive as error:
            return refusal(400, WAITS if error.waits else "This account is disabled.")
        return reply(
            {"success": True, "message": "Login successful", "token": pair.page, "user": user_out(pair.user)}
        )

    async def register(self, request: web.Request) -> web.Response:
        """POST /api/auth/register: the account opens when an administrator has approved it."""
        require_reader(request)
        self._door.gate.count_address(request)
        form = read(await self._door.body(request), _register)
        user = await self._made(form, self._address_of(request))
        if not user.active:
            return reply({"success": True, "message": MADE, "user": user_out(user)}, 201)
        pair = await self._accounts.begin(user)
        made = {"success": True, "message": "Registered", "token": pair.page, "user": user_out(pair.user)}
        return reply(made, 201)

    async def _made(self, form: Register, address: str) -> User:
        """The new account; where he gave no username and that of his address is taken, with a longer one."""
        plain = form.username or username_from(form.email, lambda name: False)
        try:
            return await self._accounts.sign_up(form.email, plain, form.password, form.name, address=address)
        except Conflict:
            if form.username:
                raise
        longer = f"{plain}-{secrets.token_hex(2)}"
        return await self._accounts.sign_up(form.email, longer, form.password, form.name, address=address)

    async def me(self, request: web.Request) -> web.Response:
        """GET /api/auth/me."""
        await self._door.learn(bearer(request))
        return reply({"success": True, "user": user_out(self._door.enter(request))})

    async def logout(self, request: web.Request) -> web.Response:
        """POST /api/auth/logout: always 200, whatever the token is worth by now."""
        token = bearer(request)
        if token:
            await self._accounts.log_out(token)
        return reply({"success": True, "message": "Logged out"})

    def _guarded(self, handler: AiohttpHandler) -> AiohttpHandler:
        return visits.guarded(handler, lambda request, error: refused(error))


def refusal(status: int, message: str, **headers: str) -> web.Response:
    """An answer that says no, as its pages read it."""
    answer = reply({"success": False, "message": message, "error": message}, status)
    answer.headers.update(headers)
    return answer


def refused(error: OutpostError | None) -> web.Response:
    """What went wrong, as its pages read it; None: a fault of our own."""
    if error is None:
        return refusal(500, "Internal Server Error")
    if isinstance(error, RateLimited):
        return refusal(429, error.detail, **{"Retry-After": str(max(1, math.ceil(error.retry_after_s)))})
    if isinstance(error, Unauthenticated):
        return refusal(401, error.detail)
    return refusal(error.status, error.detail)


def user_out(user: User) -> dict[str, Any]:
    """An account as its pages show it. It has no rights here but to its own things, so its role is `user`."""
    return {
        "id": user.id,
        "name": user.full_name or user.username,
        "username": user.username,
        "email": user.email,
        "role": "user",
    }
