"""People of the centre logged in with the older sensors-and-switches app: by tokens, as it carries them at a hub.

Tokens are signed with a secret that all instances share, and each is of a login in the database, so any instance
knows them, and a login that is ended is over everywhere within seconds. A refresh token is good once: used again,
it has been copied, and the whole login ends. These tokens open the older app's paths and nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import app_login_store as sql
from cloud.accounts import login_store, people_store, store
from cloud.accounts.audit import record
from cloud.accounts.logins import TOPIC, Logins
from cloud.accounts.logins import WrongLogin as NotHim
from cloud.accounts.member import FIRST_TENANT, Member
from cloud.accounts.people import NoSuchCode as NoCode
from cloud.accounts.people import People
from cloud.db.database import Database
from cloud.db.signals import Signals
from edge.access.accounts.model import (
    REFRESH_S,
    SESSIONS_PER_USER,
    WAITING_MAX,
    WAITING_PER_ADDRESS,
    NoSuchCode,
    Session,
    SignUp,
    TokenPair,
    User,
    WrongLogin,
    WrongPart,
    check_password,
    clean_code,
    clean_email,
    clean_full_name,
    clean_username,
)
from edge.access.accounts.tokens import ACCESS, REFRESH, TokenInvalid, TokenRefused, Tokens, lasts_s
from edge.access.model import hash_secret
from edge.clock import Clock
from edge.errors import Busy, Conflict, Forbidden, StorageError
from edge.serving.limits import RateLimit
from edge.serving.roles import PEOPLE, Role

log = logging.getLogger(__name__)

RELOAD_S = 3.0
KNOWN = 4096  # logins held in memory; the one longest unused is looked up again
SECRET_BYTES = 32
ID_BYTES = 12
SIGN_UPS = 2 * WAITING_PER_ADDRESS  # an hour from one address, however soon an administrator makes room for more
HOUR_S = 3600.0
NO_SITE = "-"  # what somebody reaches who has signed up and was given no site yet: no site is called so
GONE = "@gone.invalid"  # how the address of an account ends that its owner has deleted
ASK = "An administrator of head office changes this."


class AppUser(User, frozen=True, kw_only=True):
    """Somebody who uses the app: the account as the app knows it, and who he is at the centre."""

    member: Member


class _Known(msgspec.Struct):
    user: AppUser
    until_us: int


class AppLogins:
    """All of them. `sign_up`: who may make an account for himself."""

    def __init__(
        self, database: Database, signals: Signals, clock: Clock, logins: Logins, people: People, *, sign_up: SignUp
    ) -> None:
        self._db, self._signals, self._clock = database, signals, clock
        self._logins, self._people, self._sign_up = logins, people, sign_up
        self._tokens = Tokens(secrets.token_bytes(SECRET_BYTES))
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._loading = asyncio.Lock()
        self._sign_ups = RateLimit(SIGN_UPS, clock, in_s=HOUR_S)

    async def start(self) -> None:
        """Make or load the secret that tokens are signed with."""
        async with self._db.write() as connection:
            self._tokens = Tokens(await login_store.secret(connection, sql.KIND, secrets.token_bytes(SECRET_BYTES)))

    # --- in and out

    async def log_in(self, name: str, password: str, address: str) -> TokenPair:
        """A login by address or username. Raises WrongLogin, RateLimited."""
        try:
            person = await self._logins.person(name, password, address=address)
        except NotHim as error:
            raise WrongLogin("Incorrect username or password") from error
        now, login_id = self._clock.now(), secrets.token_hex(8)
        user = _user(person, login_id)
        session = self._session(user, secrets.token_hex(16))
        who = user.member
        async with self._db.write() as connection:
            if not await login_store.as_it_was(connection, who.tenant_id, who.person, person["password"]):
                raise WrongLogin("Incorrect username or password")
            await login_store.insert_login(
                connection,
                tenant_id=who.tenant_id,
                id=login_id,
                person_id=who.person,
                kind=sql.KIND,
                hash=_hash(session.id),
                refresh_hash=_hash(session.refresh_id),
                address=address,
                agent="",
                created_us=now.at_us,
                seen_us=now.at_us,
                until_us=now.at_us + REFRESH_S * 1_000_000,
            )
            await login_store.keep_newest(connection, who.tenant_id, who.person, now.at_us, SESSIONS_PER_USER)
            detail = {"from": address, "kind": sql.KIND}
            await record(connection, who, "login.begun", at_us=now.at_us, subject=login_id, detail=detail)
        return self._pair(session, user)

    async def begin(self, user: User) -> TokenPair:
        """Nobody is let in without his password here. Raises WrongLogin."""
        raise WrongLogin("Log in with your password.")

    async def refresh(self, refresh_token: str) -> TokenPair:
        """The next pair for a refresh token, which is used up. Raises TokenInvalid, TokenRefused."""
        claims = self._tokens.read(refresh_token)
        if claims["type"] != REFRESH:
            raise TokenRefused("Only a refresh token is renewed.")
        shown, now_us = _hash(str(claims["sid"])), self._clock.now().at_us
        following = secrets.token_hex(16)
        async with self._db.write() as connection:
            rows = await sql.open_by_hash(connection, [shown], now_us)
            good = bool(rows) and await sql.renew(
                connection,
                shown,
                now_us,
                now_us + REFRESH_S * 1_000_000,
                before=_hash(str(claims["jti"])),
                after=_hash(following),
            )
            if rows and not good:
                await sql.end_one(connection, shown, now_us)
                why = {"why": "its refresh token was used twice"}
                who = _user(rows[0], rows[0]["login"]).member
                await record(connection, who, "login.ended", at_us=now_us, subject=who.login, detail=why)
        if not good:
            await self._changed()
            raise TokenInvalid("This login has ended, or its token was used before.")
        user = _user(rows[0], rows[0]["login"])
        return self._pair(self._session(user, str(claims["sid"]), following), user)

    async def log_out(self, access_token: str) -> int:
        """End all logins with this app of whose token this is, however old it is; how many there were."""
        try:
            claims = self._tokens.read(access_token)
        except TokenInvalid:
            return 0
        async with self._db.write() as connection:
            count = await sql.end_all(connection, _hash(str(claims["sid"])), self._clock.now().at_us)
        if count:
            await self._changed()
        return count

    # --- who is it

    async def learn(self, access_token: str) -> None:
        """Look up whose token this is, where that is not known here, for `user_of`. Raises StorageError."""
        try:
            shown = _hash(str(self._tokens.read(access_token)["sid"]))
        except TokenInvalid:
            return
        if shown not in self._known:
            await self._load([shown])

    def user_of(self, access_token: str) -> AppUser:
        """Whose access token this is. Raises TokenInvalid, TokenRefused for one of the other type."""
        claims, now_us = self._tokens.read(access_token), self._clock.now().at_us
        if claims["type"] != ACCESS:
            raise TokenRefused("This is no access token.")
        shown = _hash(str(claims["sid"]))
        known = self._known.get(shown)
        left_us = int(claims["exp"]) * 1_000_000 - now_us
        if known is None or known.until_us <= now_us or not 0 < left_us <= (lasts_s(claims) + 60) * 1_000_000:
            raise TokenInvalid("The token is too old, or its login has ended.")
        self._known.move_to_end(shown)
        return known.user

    def current(self, user: AppUser) -> AppUser | None:
        """Somebody who was let in as he is by now, None when that login has ended."""
        logins = (known.user for known in self._known.values())
        return next((each for each in logins if each.member.login == user.member.login), None)

    async def keep_fresh(self) -> None:
        """Look up anew whenever something about people changes anywhere, and every RELOAD_S; until cancelled."""
        with self._signals.watch(TOPIC) as watch:
            while True:
                await watch.wait(RELOAD_S)
                try:
                    await self._load(list(self._known))
                except StorageError as error:
                    log.warning("logins of apps cannot be looked up anew: %s", error)

    # --- accounts

    async def sign_up(self, email: str, username: str, password: str, full_name: str = "", *, address: str) -> User:
        """Somebody makes an account, which waits for approval.

        Raises WrongPart, Conflict, Forbidden, Busy, RateLimited.
        """
        if self._sign_up is SignUp.CLOSED:
            raise Forbidden("Signing up is closed here. Ask an administrator of head office for an account.")
        email, username = clean_email(email), clean_username(username).lower()
        full_name, password = clean_full_name(full_name), check_password(password)
        now_us, person, made_by = self._clock.now().at_us, f"p_{secrets.token_hex(8)}", f"sign-up from {address}"
        anybody = Member("sign-up", Role.NONE, tenant_id=FIRST_TENANT)
        async with self._db.read() as connection:  # whom there is no room for costs no hashing
            await _require_room(connection, email, username, made_by)
        self._sign_ups.take(address)
        hashed = await self._logins.passwords.hash(password)
        async with self._db.write() as connection:
            await store.lock_tenant(connection, FIRST_TENANT)
            await _require_room(connection, email, username, made_by)
            values = {
                "tenant_id": FIRST_TENANT,
                "id": person,
                "email": email,
                "username": username,
                "full_name": full_name,
                "role": Role.VIEWER.label,
                "sites": NO_SITE,
                "state": "waiting",
                "password": hashed,
                "created_us": now_us,
                "created_by": made_by,
            }
            await people_store.insert_person(connection, **values)
            detail = {"username": username}
            await record(connection, anybody, "person.signed_up", at_us=now_us, subject=person, detail=detail)
        return User(
            id=app_id(FIRST_TENANT, person), email=email, username=username, created_us=now_us, approved=False
        )

    async def change(
        self,
        user: User,
        *,
        email: str | None = None,
        username: str | None = None,
        full_name: str | None = None,
        preferences: str | None = None,
    ) -> User:
        """A person changes his own account. Raises Conflict for his address and username: hubs know him by them."""
        assert isinstance(user, AppUser)
        if email is not None and clean_email(email) != user.email:
            raise Conflict(f"Your address stays as it is. {ASK}")
        if username is not None and clean_username(username).lower() != user.username:
            raise Conflict(f"Your username stays as it is. {ASK}")
        wanted = {
            "full_name": user.full_name if full_name is None else clean_full_name(full_name),
            "preferences": user.preferences if preferences is None else preferences,
        }
        changed = {name: value for name, value in wanted.items() if getattr(user, name) != value}
        if changed:
            await self._save(user, "person.changed", {"changed": sorted(changed)}, changed)
        return msgspec.structs.replace(user, **wanted)

    async def delete(self, user: User, *, actor: str) -> None:
        """A person ends his account: nothing that names him stays but his username. Raises Forbidden."""
        assert isinstance(user, AppUser)
        if user.member.role is Role.ADMIN:
            raise Forbidden("An administrator's account is ended by another administrator.")
        erased = {"state": "disabled", "email": user.member.person + GONE, "full_name": "", "preferences": "{}"}
        codes: dict[str, object] = {"password": "", "reset_hash": None, "reset_until_us": 0}
        await self._save(user, "person.deleted", {}, {**erased, **codes}, ends=True)

    async def _save(
        self,
        user: AppUser,
        what: str,
        detail: Mapping[str, object],
        values: Mapping[str, object],
        *,
        ends: bool = False,
    ) -> None:
        who, now_us = user.member, self._clock.now().at_us
        async with self._db.write() as connection:
            await people_store.change(connection, who.tenant_id, who.person, **values)
            if ends:
                await login_store.end(connection, who.tenant_id, now_us, person=who.person)
            await record(connection, who, what, at_us=now_us, subject=who.person, detail=detail)
        await self._changed()

    # --- codes

    async def owner(self, code: str, address: str) -> object:
        """Whether somebody's code this is. Raises NoSuchCode, RateLimited for who guesses."""
        guess = f"reset code {address}"
        self._logins.throttle.attempt(guess, address)
        async with self._db.read() as connection:
            if not await sql.by_code(connection, hash_secret(clean_code(code)), self._clock.now().at_us):
                raise NoSuchCode("Invalid or used token")
        self._logins.throttle.forgive(guess, address)
        return None

    async def use(self, code: str, password: str, address: str) -> None:
        """Set a new password with a code. Raises WrongPart, NoSuchCode, RateLimited."""
        try:
            await self._people.set_by_code(code, password, address=address)
        except NoCode as error:
            raise NoSuchCode("Invalid or used token") from error
        except WrongPart as error:
            raise WrongPart("new_password", error.detail) from error
        await self._changed()

    # --- parts of them

    async def _changed(self) -> None:
        await self._logins.changed()
        await self._load(list(self._known))

    async def _load(self, hashes: Collection[bytes]) -> None:
        """Look these up; what is not open any more is forgotten."""
        if not hashes:
            return
        async with self._loading:
            async with self._db.read() as connection:
                rows = await sql.open_by_hash(connection, hashes, self._clock.now().at_us)
            found = {row["hash"]: row for row in rows}
            for shown in hashes:
                row = found.get(shown)
                if row is None:
                    self._known.pop(shown, None)
                else:
                    self._known[shown] = _Known(_user(row, row["login"]), row["until_us"])
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)

    def _session(self, user: AppUser, session_id: str, refresh_id: str = "") -> Session:
        now = self._clock.now()
        refresh_id = refresh_id or secrets.token_hex(16)
        return Session(id=session_id, user_id=user.id, refresh_id=refresh_id, created_us=now.at_us, since=now)

    def _pair(self, session: Session, user: AppUser) -> TokenPair:
        now = self._clock.now()
        access, refresh = self._tokens.access(session, now), self._tokens.refresh(session, now)
        return TokenPair(access=access, page=self._tokens.page(session, now), refresh=refresh, user=user)


def app_id(tenant_id: int, person: str) -> str:
    """The id of a person as the app and the hubs know him: 24 hex digits, always the same."""
    return hashlib.blake2b(f"{tenant_id} {person}".encode(), digest_size=ID_BYTES).hexdigest()


async def _require_room(connection: AsyncConnection, email: str, username: str, made_by: str) -> None:
    """Raise Conflict where somebody is called so already, Busy where too many wait, of one address or in all."""
    emails, usernames = await people_store.names(connection, FIRST_TENANT)
    if email in emails or username in usernames:
        raise Conflict("Email or username already registered")
    here = await sql.waiting(connection, FIRST_TENANT, made_by)
    if here >= WAITING_PER_ADDRESS or await sql.waiting(connection, FIRST_TENANT) >= WAITING_MAX:
        raise Busy("Too many accounts wait for approval.")


def _hash(shown: str) -> bytes:
    return hashlib.sha256(b"things " + shown.encode("utf-8", "surrogatepass")).digest()


def _user(row: RowMapping, login_id: str) -> AppUser:
    fields: dict[str, Any] = {name: row[name] for name in ("email", "username", "full_name", "preferences")}
    member = Member(
        f"user:{row['username']}",
        Role.parse(row["role"]),
        scope=PEOPLE,
        tenant_id=row["tenant_id"],
        sites=frozenset(row["sites"].split()),
        person=row["id"],
        login=login_id,
    )
    return AppUser(
        id=app_id(row["tenant_id"], row["id"]),
        created_us=row["created_us"],
        created_by=row["created_by"],
        member=member,
        **fields,
    )
