"""Logins: opened, renewed, ended, and known by their tokens. Held in memory; memory follows each commit.

A refresh token is good once: used again, it has been copied, and the whole login ends.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from edge.access.accounts import store as sql
from edge.access.accounts.model import (
    REFRESH_S,
    SESSIONS_PER_USER,
    NotActive,
    Session,
    TokenPair,
    User,
    WrongLogin,
)
from edge.access.accounts.tokens import ACCESS, REFRESH, SECRET_BYTES, TokenInvalid, TokenRefused, Tokens, is_fresh
from edge.bus import Bus, Event
from edge.clock import Clock, Stamp
from edge.store.database import Database
from edge.store.transaction import Transaction

REFRESH_MS = REFRESH_S * 1000


class LoggedOut(Event, frozen=True, kw_only=True):
    """Logins of a user have ended: whoever holds something open for him asks `user_of` again."""

    user_id: str


class Sessions:
    """Every open login."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._db, self._bus, self._clock = database, bus, clock
        self._tokens = Tokens(secrets.token_bytes(SECRET_BYTES))
        self._sessions: dict[str, Session] = {}

    async def start(self, secret: bytes, sessions: list[Session]) -> None:
        """Go on with the logins of before; those from before a reboot with the age they have by now."""
        self._tokens = Tokens(secret)
        now = self._clock.now()
        aged = [_as_of(session, now) for session in sessions]
        young = [session for session in aged if session.age_ms(now) < REFRESH_MS]
        self._sessions = {session.id: session for session in young}
        await self._db.write(lambda tx: _save_ages(tx, aged, {session.id for session in young}))

    def of(self, user_id: str) -> list[Session]:
        """A user's open logins."""
        return [session for session in self._sessions.values() if session.user_id == user_id]

    async def begin(self, user: User, password_hash: str) -> TokenPair:
        """A new login. Raises NotActive, WrongLogin when the password is another by now."""
        if not user.active:
            raise NotActive(waits=not user.disabled)
        now = self._clock.now()
        session = Session(
            id=secrets.token_hex(16),
            user_id=user.id,
            refresh_id=secrets.token_hex(16),
            created_us=now.at_us,
            since=now,
        )

        def work(tx: Transaction) -> None:
            if not sql.insert_session(tx, session, password_hash, SESSIONS_PER_USER):
                raise WrongLogin("Incorrect username or password")
            tx.after(lambda: self._opened(session))

        await self._db.write(work)
        return self._pair(session, user)

    def session_of(self, refresh_token: str) -> tuple[Session, dict[str, Any]]:
        """The login a refresh token belongs to, and what the token says. Raises TokenInvalid, TokenRefused."""
        claims = self._tokens.read(refresh_token)
        if claims["type"] != REFRESH:
            raise TokenRefused("Only a refresh token is renewed.")
        return self._session(claims), claims

    async def renew(self, session: Session, presented: str, user: User) -> TokenPair:
        """The next pair, if `presented` is the refresh token good now; else the login ends. Raises TokenInvalid."""
        now = self._clock.now()
        if session.age_ms(now) >= REFRESH_MS:
            await self._forget(session)
            raise TokenInvalid("This login is too old.")
        renewed = msgspec.structs.replace(session, refresh_id=secrets.token_hex(16), since=now, aged_ms=0)

        def work(tx: Transaction) -> bool:
            done = sql.renew_session(tx, renewed, presented)
            if done:
                tx.after(lambda: self._renewed(renewed))
            else:
                sql.end_session(tx, session, "its refresh token was used twice")
                tx.after(lambda: self.ended([session]))
            return done

        if not await self._db.write(work):
            raise TokenInvalid("This refresh token was used before: somebody may have copied it.")
        return self._pair(renewed, user)

    def user_id_of(self, access_token: str, *, however_old: bool = False) -> str:
        """Whose access token this is. Raises TokenInvalid, TokenRefused for one of the other type."""
        claims = self._tokens.read(access_token)
        if not however_old:
            if claims["type"] != ACCESS:
                raise TokenRefused("This is no access token.")
            if not is_fresh(claims, self._clock.now()):
                raise TokenInvalid("The token is too old.")
        return self._session(claims).user_id

    async def end_all(self, user_id: str) -> int:
        """End all logins of a user; how many there were."""

        def work(tx: Transaction) -> int:
            count = sql.end_sessions(tx, user_id)
            tx.after(lambda: self.ended(self.of(user_id)))
            return count

        return await self._db.write(work)

    def ended(self, sessions: list[Session]) -> None:
        """These have been ended by a commit."""
        for session in sessions:
            self._sessions.pop(session.id, None)
        for user_id in {session.user_id for session in sessions}:
            self._bus.publish(LoggedOut(user_id=user_id))

    def _session(self, claims: dict[str, Any]) -> Session:
        session = self._sessions.get(str(claims["sid"]))
        if session is None or session.user_id != claims["sub"]:
            raise TokenInvalid("This login has ended.")
        return session

    def _opened(self, session: Session) -> None:
        self._sessions[session.id] = session
        mine = sorted(self.of(session.user_id), key=lambda one: (-one.created_us, one.id))
        for old in mine[SESSIONS_PER_USER:]:
            del self._sessions[old.id]

    def _renewed(self, session: Session) -> None:
        if session.id in self._sessions:
            self._sessions[session.id] = session

    async def _forget(self, session: Session) -> None:
        def work(tx: Transaction) -> None:
            sql.drop_session(tx, session.id)
            tx.after(lambda: self.ended([session]))

        await self._db.write(work)

    def _pair(self, session: Session, user: User) -> TokenPair:
        now = self._clock.now()
        access, refresh = self._tokens.access(session, now), self._tokens.refresh(session, now)
        return TokenPair(access=access, page=self._tokens.page(session, now), refresh=refresh, user=user)


def _as_of(session: Session, now: Stamp) -> Session:
    """A session as it stands in this boot."""
    if session.since.boot_id == now.boot_id:
        return session
    return msgspec.structs.replace(session, since=now, aged_ms=session.age_ms(now))


def _save_ages(tx: Transaction, sessions: list[Session], young: set[str]) -> None:
    for session in sessions:
        if session.id in young:
            sql.renew_session(tx, session, session.refresh_id)
        else:
            sql.drop_session(tx, session.id)
