"""Logins of people: begun with a password, known by a signed cookie, ended by them or by an administrator.

What a browser shows is known here for as long as it is used, and looked up anew whenever anything about people
changes anywhere, and every few seconds anyway: a login that was ended, and a role that was taken, is so at once at
this instance and within RELOAD_S at every other.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web
from sqlalchemy import RowMapping

from cloud.accounts import login_store as sql
from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.db.signals import Signals
from edge.access.accounts.model import login_key
from edge.access.accounts.passwords import Passwords
from edge.access.accounts.throttle import Throttle
from edge.clock import Clock
from edge.errors import NotFound, RateLimited, StorageError, Unauthenticated
from edge.serving.roles import Role

log = logging.getLogger(__name__)

WEB = "web"  # the kind of a login in a browser
TOPIC = "people"  # told when anything about people or their logins changes
WEB_S = 30 * 86_400
IDLE_S = 3 * 86_400  # unused for so long, it is over
RELOAD_S = 3.0
SEEN_EVERY_S = 60.0  # how often the database is told that somebody is here
KNOWN = 4096  # logins held in memory; the one longest unused goes first, and is looked up again
UNUSED_S = 900.0  # before one is no longer held
OVER = 4096  # logins that are over held in memory: whoever shows one again costs the database nothing
LOGINS_PER_PERSON = 20  # browsers and phones of one person; the oldest ends first
CHECKED = 2  # passwords looked at for each try, so that a name of nobody and one of two tenants take as long
SECRET_BYTES = 32
AGENT_CHARS = 200
COOKIE, SECURE_COOKIE = "outpost_login", "__Host-outpost_login"
LIST_HINT = "`outpost login list` shows those that are open."
WRONG = "The name or the password is wrong."


class WrongLogin(Unauthenticated):
    """The name or the password is wrong; which of them is not told."""

    code = "wrong-login"
    hint = "Check both. Who has forgotten his password gets a code from an administrator."


class _Known(msgspec.Struct):
    member: Member
    until_us: int
    used_s: float
    told_s: float


class Logins:
    """All of them. `secure`: people come over https, so the cookie is sent over nothing else."""

    def __init__(self, database: Database, signals: Signals, clock: Clock, *, secure: bool) -> None:
        self._db, self._signals, self._clock, self.secure = database, signals, clock, secure
        self.passwords, self.throttle = Passwords(), Throttle(clock)
        self._key = b""
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._over: OrderedDict[bytes, None] = OrderedDict()  # none of them ever becomes good again
        self._loading = asyncio.Lock()

    async def start(self) -> None:
        """Make or load the secret that cookies are signed with."""
        async with self._db.write() as connection:
            self._key = await sql.secret(connection, "cookie", secrets.token_bytes(SECRET_BYTES))

    # --- in and out

    async def begin(
        self, name: str, password: str, *, address: str, agent: str = "", instead: Member | None = None
    ) -> str:
        """Log in, by address or username: what the cookie says. `instead`: of a login that ends with it.

        Raises WrongLogin, RateLimited. How long it takes does not tell whether there is such a name.
        """
        person = await self.person(name, password, address=address)
        shown, now_us = secrets.token_urlsafe(SECRET_BYTES), self._clock.now().at_us
        login_id = secrets.token_hex(8)
        who = _member(person, login_id)
        async with self._db.write() as connection:
            if not await sql.as_it_was(connection, who.tenant_id, who.person, person["password"]):
                raise WrongLogin(WRONG)  # it was changed, or the account shut, while this one was looked at
            await sql.insert_login(
                connection,
                tenant_id=who.tenant_id,
                id=login_id,
                person_id=who.person,
                kind=WEB,
                hash=_hash(shown),
                address=address,
                agent="".join(char for char in agent if char.isprintable())[:AGENT_CHARS],
                created_us=now_us,
                seen_us=now_us,
                until_us=now_us + WEB_S * 1_000_000,
            )
            await sql.keep_newest(connection, who.tenant_id, who.person, now_us, LOGINS_PER_PERSON)
            await record(connection, who, "login.begun", at_us=now_us, subject=login_id, detail={"from": address})
            if instead is not None and await sql.end(connection, instead.tenant_id, now_us, login=instead.login):
                why = {"why": "another began in the same browser"}
                await record(connection, instead, "login.ended", at_us=now_us, subject=instead.login, detail=why)
        if instead is not None:
            await self.changed()
        return f"{shown}.{self._sign(shown)}"

    async def person(self, name: str, password: str, *, address: str) -> RowMapping:
        """Whose name and password these are. Raises WrongLogin, RateLimited.

        An account has one count of failures, by whichever of its names somebody tries. A name of several tenants is
        an attempt at each of their accounts, and one that worked at its own alone.
        """
        key = login_key(name)
        async with self._db.read() as connection:
            rows = await sql.called(connection, key)
        right = await self._attempt({_account(row): row for row in rows} or {key: None}, password, address)
        if right is None:
            raise WrongLogin(WRONG)
        return right

    async def proves(self, person: RowMapping, password: str, *, address: str) -> bool:
        """Whether this is the password of somebody who is logged in; counted as a login is. Raises RateLimited."""
        return await self._attempt({_account(person): person}, password, address, inside=True) is not None

    async def _attempt(
        self, accounts: Mapping[str, RowMapping | None], password: str, address: str, *, inside: bool = False
    ) -> RowMapping | None:
        """Whose password it is of these accounts, by what their failures are counted under; the same work whatever
        there is to try. One that is guessed at too often is not tried. `inside`: who asks is logged in."""
        tried = self.throttle.attempts(accounts, address)
        hashes = [_stored(accounts[account]) for account in tried]
        hashes += [None] * (max(CHECKED, len(accounts)) - len(hashes))
        try:
            found = [await self.passwords.verify(stored, password, inside=inside) for stored in hashes]
        except RateLimited:  # too many at once, which is nobody's guess
            self.throttle.forgive_all(tried, address)
            raise
        right = [account for account, is_right in zip(tried, found, strict=False) if is_right]
        if not right:
            if len(tried) < len(accounts):  # he may well be one that was not tried
                self.throttle.require(accounts.keys() - set(tried), address)
            return None
        self.throttle.worked_at(right, tried, address)
        return accounts[right[0]]

    async def listed(self, member: Member, *, person: str = "") -> list[RowMapping]:
        """Open logins that `member` may end, the newest first; of one `person` where that is named."""
        now_us = self._clock.now().at_us
        async with self._db.read() as connection:
            rows = await sql.open_of(connection, member.tenant_id, now_us, IDLE_S * 1_000_000, person=person)
        return [row for row in rows if _may_end(member, row)]

    async def end(self, member: Member, login_id: str) -> None:
        """End a login at once: one's own, or by an administrator that of anybody he reaches. Raises NotFound."""
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            row = await sql.owner(connection, member.tenant_id, login_id)
            may = row is not None and _may_end(member, row)
            if row is None or not may or not await sql.end(connection, member.tenant_id, now_us, login=login_id):
                raise NotFound(
                    f"There is no open login {login_id[:40]!r}.", hint="`outpost login list` shows them."
                )
            detail = {"of": row["username"]}
            await record(connection, member, "login.ended", at_us=now_us, subject=login_id, detail=detail)
        await self.changed()

    async def changed(self) -> None:
        """Let all instances know that something about people or their logins has changed."""
        self._signals.tell(TOPIC)
        await self.reload()

    # --- who is it

    def shown_by(self, request: web.Request) -> bytes | None:
        """The hash of what a request's cookie shows, None where it has none that was signed here."""
        cookie = request.cookies.get(SECURE_COOKIE if self.secure else COOKIE, "")
        shown, _, signature = cookie.partition(".")
        good = hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), self._sign(shown).encode())
        return _hash(shown) if good else None

    async def learn(self, request: web.Request) -> None:
        """Look up who shows this cookie, where that is not known here yet. Raises StorageError."""
        shown = self.shown_by(request)
        if shown is not None and shown not in self._known and shown not in self._over:
            await self._load({shown})

    def who(self, request: web.Request) -> Member | None:
        """Who shows this cookie; None for none, and for one that is not good any more."""
        shown = self.shown_by(request)
        known = None if shown is None else self._known.get(shown)
        if shown is None or known is None or known.until_us <= self._clock.now().at_us:
            return None
        known.used_s = self._clock.mono_s()
        self._known.move_to_end(shown)
        return known.member

    async def reload(self) -> None:
        """Look up anew whoever is known here. Raises StorageError."""
        await self._load(set(self._known))

    async def keep_fresh(self) -> None:
        """Look up anew whenever something changes anywhere, and every RELOAD_S; until cancelled."""
        with self._signals.watch(TOPIC) as watch:
            while True:
                await watch.wait(RELOAD_S)
                try:
                    await self.reload()
                    await self._tell_seen()
                except StorageError as error:
                    log.warning("logins cannot be looked up anew: %s", error)

    async def _load(self, hashes: set[bytes]) -> None:
        """Look these up; what is not open any more is forgotten."""
        if not hashes:
            return
        async with self._loading:  # who read before a login was ended does not overwrite who read behind it
            async with self._db.read() as connection:
                now_us, now_s = self._clock.now().at_us, self._clock.mono_s()
                rows = await sql.open_by_hash(connection, hashes, now_us, IDLE_S * 1_000_000)
            found = {row["hash"]: row for row in rows}
            for shown in hashes:
                before = self._known.get(shown)
                if shown not in found:
                    self._over[shown] = None
                if shown not in found or (before is not None and now_s - before.used_s > UNUSED_S):
                    self._known.pop(shown, None)
                    continue
                row, member = found[shown], _member(found[shown], found[shown]["id"])
                if before is None:
                    self._known[shown] = _Known(member, row["until_us"], now_s, now_s - SEEN_EVERY_S)
                else:
                    before.member, before.until_us = member, row["until_us"]
            _bound(self._known, KNOWN)
            _bound(self._over, OVER)

    async def _tell_seen(self) -> None:
        """Write down who has been here since the last time, once in SEEN_EVERY_S each."""
        now_us, now_s = self._clock.now().at_us, self._clock.mono_s()
        due = [
            one for one in self._known.values() if one.used_s > one.told_s and now_s - one.told_s >= SEEN_EVERY_S
        ]
        if not due:
            return
        async with self._db.write() as connection:
            for one in sorted(due, key=lambda one: (one.member.tenant_id, one.member.login)):
                seen_us = now_us - int((now_s - one.used_s) * 1_000_000)
                await sql.note_seen(connection, one.member.tenant_id, one.member.login, seen_us)
        for one in due:
            one.told_s = now_s

    def _sign(self, shown: str) -> str:
        return hmac.new(self._key, shown.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _bound(held: OrderedDict[bytes, Any], most: int) -> None:
    while len(held) > most:
        held.popitem(last=False)


def _account(row: RowMapping) -> str:
    """What failures at somebody's account are counted under."""
    return f"{row['tenant_id']}:{row['id']}"


def _stored(row: RowMapping | None) -> str | None:
    """The hash of somebody's password, None for nobody, and where he may not log in with one."""
    return row["password"] or None if row is not None and row["state"] == sql.ACTIVE else None


def _may_end(member: Member, row: RowMapping) -> bool:
    """Whether a login, a row with whose it is and what he reaches, is one that `member` sees and ends."""
    own = bool(member.person) and row["person"] == member.person
    return own or (member.role is Role.ADMIN and member.covers(frozenset(row["sites"].split())))


def _hash(shown: str) -> bytes:
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()


def _member(row: RowMapping, login_id: str) -> Member:
    """Who somebody logged in is: a row of `people`, or of an open login."""
    return Member(
        f"user:{row['username']}",
        Role.parse(row["role"]),
        tenant_id=row["tenant_id"],
        sites=frozenset(row["sites"].split()),
        person=row["person"] if "person" in row else row["id"],
        login=login_id,
    )
