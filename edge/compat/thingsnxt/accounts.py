"""The older sensors-and-switches platform's accounts, as its apps know them: sign up, log in, refresh, log out.

Where its document and its app differ, both are served: the app sends its refresh token as a body, the document says
as a query parameter; the app logs in at /token with an address or a username, others at /login. A refresh refused
to a body is no 401, since that app answers each 401 with another refresh, for ever.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from edge.access.accounts.model import (
    NoSuchCode,
    NotActive,
    TokenPair,
    User,
    WrongLogin,
    WrongPart,
)
from edge.compat import own_settings
from edge.compat.thingsnxt.door import (
    Door,
    Invalid,
    Visit,
    bearer,
    preflight,
    read,
    refusal,
    reply,
    require_reader,
)
from edge.errors import BadInput, Conflict, RateLimited, Unauthenticated
from edge.serving.visits import AiohttpHandler

FORM_FIELDS = 20
WAITS = "This account waits for an administrator's approval."
MADE = "The account is made. It opens once an administrator of this site has approved it."
FORGOT = "If your email is registered, you will receive a reset code"


class SignUpForm(msgspec.Struct):
    """POST /signup."""

    email: str
    username: str
    password: str
    full_name: str | None = None


class LoginForm(msgspec.Struct):
    """POST /login."""

    email: str
    password: str


class RefreshForm(msgspec.Struct):
    """POST /refresh, as the app sends it."""

    refresh_token: str


class ForgotForm(msgspec.Struct):
    """POST /forgot-password."""

    email: str


class ResetForm(msgspec.Struct):
    """POST /reset-password."""

    token: str
    new_password: str


class ChangeForm(msgspec.Struct):
    """PUT /me; what is absent stays as it is."""

    email: str | None = None
    username: str | None = None
    full_name: str | msgspec.UnsetType | None = msgspec.UNSET
    notification_settings: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET


_sign_up, _login = msgspec.json.Decoder(SignUpForm), msgspec.json.Decoder(LoginForm)
_refresh, _forgot = msgspec.json.Decoder(RefreshForm), msgspec.json.Decoder(ForgotForm)
_reset, _change = msgspec.json.Decoder(ResetForm), msgspec.json.Decoder(ChangeForm)


class Accounts(Protocol):
    """Keeps the accounts: those of a hub, or of the centre."""

    async def sign_up(self, email: str, username: str, password: str, full_name: str = "", *, address: str) -> User:
        """A person makes an account. Raises WrongPart, Conflict, Forbidden, Busy."""

    async def begin(self, user: User) -> TokenPair:
        """A new login of somebody whose identity is proved. Raises NotActive."""

    async def log_in(self, name: str, password: str, address: str) -> TokenPair:
        """A login by address or username. Raises WrongLogin, NotActive, RateLimited."""

    async def refresh(self, refresh_token: str) -> TokenPair:
        """The next pair of tokens; the one given is used up. Raises Unauthenticated."""

    async def log_out(self, access_token: str) -> int:
        """End all logins of whose token this is, however old it is; how many there were."""

    async def change(
        self,
        user: User,
        *,
        email: str | None = None,
        username: str | None = None,
        full_name: str | None = None,
        preferences: str | None = None,
    ) -> User:
        """A person changes his own account; None leaves a field. Raises WrongPart, Conflict."""

    async def delete(self, user: User, *, actor: str) -> None:
        """End an account for good."""


class Resets(Protocol):
    """Takes codes with which a new password is set."""

    async def owner(self, code: str, address: str) -> object:
        """Whose code this is. Raises NoSuchCode, RateLimited."""

    async def use(self, code: str, password: str, address: str) -> None:
        """Set a new password with it. Raises as `owner`, and WrongPart."""


class ThingsnxtAccounts:
    """The facade: `routes` for the application. `address_of` names who is counted as one caller."""

    def __init__(
        self, door: Door, accounts: Accounts, resets: Resets, address_of: Callable[[web.Request], str]
    ) -> None:
        self._door, self._accounts, self._resets, self._address_of = door, accounts, resets, address_of

    def routes(self) -> list[web.RouteDef]:
        """Every path, and the browser's preflights."""
        table = self.table()
        paths = sorted({path for _, path in table})
        return [
            *(web.route(method, path, handler) for (method, path), handler in table.items()),
            *(web.options(path, preflight) for path in paths),
        ]

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Every path."""
        public, person = self._public, self._door.person
        return {
            ("POST", "/signup"): public(self.sign_up),
            ("POST", "/login"): public(self.login),
            ("POST", "/token"): public(self.token),
            ("POST", "/refresh"): public(self.refresh),
            ("POST", "/logout"): self._door.guarded(self.logout),
            ("GET", "/me"): person(self.me),
            ("PUT", "/me"): person(self.change),
            ("DELETE", "/me"): person(self.delete),
            ("POST", "/forgot-password"): public(self.forgot),
            ("GET", "/verify-reset-token"): public(self.verify),
            ("POST", "/reset-password"): public(self.reset),
        }

    async def sign_up(self, request: web.Request) -> web.Response:
        """POST /signup."""
        form = read(await self._door.body(request), _sign_up)
        user = await self._accounts.sign_up(
            form.email, form.username, form.password, form.full_name or "", address=self._address_of(request)
        )
        if not user.active:
            return refusal(403, MADE)
        return reply(_tokens(await self._accounts.begin(user)))

    async def login(self, request: web.Request) -> web.Response:
        """POST /login."""
        form = read(await self._door.body(request), _login)
        return await self._log_in(request, form.email, form.password, "Invalid email or password")

    async def token(self, request: web.Request) -> web.Response:
        """POST /token: a form, as OAuth2's password grant has it."""
        form = _form(await self._door.body(request))
        for name in ("username", "password"):
            if name not in form:
                raise Invalid("body", name, "Field required", "missing")
        return await self._log_in(request, form["username"], form["password"], "Incorrect username or password")

    async def _log_in(self, request: web.Request, name: str, password: str, wrong: str) -> web.Response:
        try:
            return reply(_tokens(await self._accounts.log_in(name, password, self._address_of(request))))
        except WrongLogin:
            return refusal(400, wrong)
        except NotActive as error:
            return refusal(400, WAITS if error.waits else "Inactive user")

    async def refresh(self, request: web.Request) -> web.Response:
        """POST /refresh, `?refresh_token=` or a body with it."""
        given = request.query.get("refresh_token")
        raw = await self._door.body(request)
        in_body = given is None and bool(raw)
        if given is None:
            if not raw:
                raise Invalid("query", "refresh_token", "Field required", "missing")
            given = read(raw, _refresh).refresh_token
        try:
            pair = await self._accounts.refresh(given)
        except Unauthenticated:
            return refusal(400 if in_body else 401, "Invalid refresh token")
        return reply({"access_token": pair.access, "refresh_token": pair.refresh, "token_type": "bearer"})

    async def logout(self, request: web.Request) -> web.Response:
        """POST /logout: always 200 and never limited, whatever the token is worth by now."""
        token = bearer(request)
        count = await self._accounts.log_out(token) if token else 0
        return reply(
            {
                "message": "Logged out successfully" if count else "Already logged out",
                "tokens_deleted": count,
                "already_logged_out": count == 0,
            }
        )

    async def me(self, visit: Visit) -> web.Response:
        """GET /me."""
        return reply(user_out(visit.user))

    async def change(self, visit: Visit) -> web.Response:
        """PUT /me."""
        form = visit.read(_change)
        changes: dict[str, str] = {}
        if form.email:
            changes["email"] = form.email
        if form.username:
            changes["username"] = form.username
        if form.full_name is not msgspec.UNSET:
            changes["full_name"] = form.full_name or ""
        if form.notification_settings is not msgspec.UNSET:
            changes["preferences"] = _preferences(visit.user, form.notification_settings)
        if not changes:
            raise BadInput("No update fields provided")
        try:
            return reply(user_out(await self._accounts.change(visit.user, **changes)))
        except WrongPart as error:
            raise Invalid("body", error.field, error.detail) from error
        except Conflict as error:
            return refusal(400, error.detail)

    async def delete(self, visit: Visit) -> web.Response:
        """DELETE /me."""
        await self._accounts.delete(visit.user, actor=visit.actor)
        return reply({"message": "Account and all associated data deleted successfully"})

    async def forgot(self, request: web.Request) -> web.Response:
        """POST /forgot-password: the same answer to every address; an administrator makes the code."""
        read(await self._door.body(request), _forgot)
        return reply({"message": FORGOT})

    async def verify(self, request: web.Request) -> web.Response:
        """GET /verify-reset-token?token=."""
        token = request.query.get("token")
        if token is None:
            raise Invalid("query", "token", "Field required", "missing")
        try:
            await self._resets.owner(token, self._address_of(request))
        except NoSuchCode:
            return refusal(404, "Token not found or has been used")
        return reply({"message": "Token is valid"})

    async def reset(self, request: web.Request) -> web.Response:
        """POST /reset-password."""
        form = read(await self._door.body(request), _reset)
        try:
            await self._resets.use(form.token, form.new_password, self._address_of(request))
        except NoSuchCode:
            return refusal(400, "Invalid or used token")
        return reply({"message": "Password reset successful"})

    def _public(self, handler: AiohttpHandler) -> AiohttpHandler:
        """`handler` for people who are not logged in: counted by address."""

        async def serve(request: web.Request) -> web.StreamResponse:
            require_reader(request)
            self._door.gate.count_address(request)
            try:
                return await handler(request)
            except WrongPart as error:
                raise Invalid("body", error.field, error.detail) from error
            except Conflict as error:
                return refusal(400, error.detail)
            except RateLimited as error:
                return refusal(429, error.detail, **{"Retry-After": str(max(1, math.ceil(error.retry_after_s)))})

        return self._door.guarded(serve)


def user_out(user: User) -> dict[str, Any]:
    """An account as the old platform shows it."""
    return {
        "id": user.id,
        "email": user.email,
        "username": user.username,
        "full_name": user.full_name or None,
        "is_active": user.active,
        "notification_settings": own_settings.of_things(user.preferences) or None,
    }


def _tokens(pair: TokenPair) -> dict[str, Any]:
    return {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "bearer",
        "user": user_out(pair.user),
    }


def _preferences(user: User, settings: dict[str, Any] | None) -> str:
    try:
        return own_settings.with_things(user.preferences, settings or {})
    except own_settings.TooMuch as error:
        raise Invalid("body", "notification_settings", error.detail) from error


def _form(raw: bytes) -> Mapping[str, str]:
    """The fields of a form; the first of several. Raises Invalid."""
    try:
        fields = parse_qs(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=FORM_FIELDS)
    except ValueError as error:
        raise Invalid("body", "", "The form cannot be read") from error
    return {name: values[0] for name, values in fields.items()}
