"""Accounts of the people who use an older system's app at this site: made, logged in and out, changed, ended.

Users and sessions are held in memory, so that a request costs one signature and no query; memory follows each
commit. A refresh token is good once: used again, it has been copied, and the whole login ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import blake2b

import msgspec

from edge.access.accounts import store as sql
from edge.access.accounts.model import (
    USERS_MAX,
    WAITING_KEPT_S,
    WAITING_MAX,
    WAITING_PER_ADDRESS,
    NotActive,
    Person,
    Session,
    SignUp,
    TokenPair,
    User,
    WrongLogin,
    as_told,
    check_password,
    clean_email,
    clean_full_name,
    clean_username,
    login_key,
    new_user_id,
)
from edge.access.accounts.passwords import Passwords
from edge.access.accounts.sessions import LoggedOut, Sessions
from edge.access.accounts.throttle import Throttle
from edge.access.accounts.tokens import SECRET_BYTES, TokenInvalid, TokenRefused
from edge.bus import Bus, Event
from edge.clock import Clock
from edge.errors import Busy, Forbidden, NotFound, RateLimited
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing

__all__ = ["Accounts", "LoggedOut", "NotActive", "UserGone", "WrongLogin"]


NO_PASSWORD = "!"  # noqa: S105 - instead of a hash: of somebody who logs in at head office


class UserGone(Event, frozen=True, kw_only=True):
    """An account has been deleted; what belongs to it has no owner any more."""

    user_id: str


class Accounts:
    """Every account. `start` loads them."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, passwords: Passwords, *, sign_up: SignUp = SignUp.APPROVE
    ) -> None:
        self._db, self._bus, self._clock, self._passwords = database, bus, clock, passwords
        self.policy = sign_up
        self.throttle = Throttle(clock)
        self._sessions = Sessions(database, bus, clock)
        self._mark_key = b""
        self._users: dict[str, User] = {}
        self._hashes: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        self._changing = asyncio.Lock()  # one change at a time, each made to the account as it is by then

    async def start(self) -> None:
        """Load everything; logins from before a reboot go on with the age they have by now."""
        loaded = await self._db.write(lambda tx: sql.load(tx, SECRET_BYTES))
        self._mark_key = blake2b(loaded.secret, digest_size=32, person=b"email").digest()
        for user, password_hash in loaded.users:
            self._remember(user, password_hash)
        await self._sessions.start(loaded.secret, loaded.sessions)

    # --- making accounts

    async def sign_up(self, email: str, username: str, password: str, full_name: str = "", *, address: str) -> User:
        """A person at a network address makes an account; it waits for approval unless the site lets everybody in.

        Raises WrongPart, Conflict (the address or username is taken), Forbidden (sign-up is closed), Busy.
        """
        if self.policy is SignUp.CLOSED:
            raise Forbidden("Signing up is closed at this site.", hint="Ask an administrator for an account.")
        origin = "" if self.policy is SignUp.OPEN else address
        return await self._insert(email, username, password, full_name, origin=origin, actor="sign-up")

    async def add(self, email: str, username: str, password: str, full_name: str = "", *, actor: str) -> User:
        """An administrator makes an account, approved at once. Raises WrongPart, Conflict, Busy."""
        return await self._insert(email, username, password, full_name, origin="", actor=actor)

    async def _insert(
        self, email: str, username: str, password: str, full_name: str, *, origin: str, actor: str
    ) -> User:
        """Add an account, which waits if it has an origin."""
        user = User(
            id=new_user_id(),
            email=clean_email(email),
            username=clean_username(username),
            full_name=clean_full_name(full_name),
            created_us=self._clock.now().at_us,
            created_by=actor,
            approved=not origin,
            origin=origin,
        )
        check_password(password)
        self._room_for(user)  # whom there is no room for costs no hashing
        password_hash = await self._passwords.hash(password)
        async with self._changing:
            leaving = self._room_for(user)

            def work(tx: Transaction) -> None:
                if leaving is not None:
                    sql.delete_user(tx, leaving.id, "a newer sign-up")
                    tx.after(lambda: self._gone(leaving.id))
                sql.insert_user(tx, user, password_hash, self.mark_of(user.email))
                tx.after(lambda: self._remember(user, password_hash))

            await self._db.write(work)
        return user

    def _room_for(self, user: User) -> User | None:
        """Which waiting account makes room for a new one, if that is needed.

        Raises Conflict where its address or username is taken, Busy.
        """
        if user.email in self._by_name or user.username.lower() in self._by_name:
            raise sql.taken()
        if len(self._users) >= USERS_MAX:
            raise Busy(f"There are {USERS_MAX} accounts already.", hint="Delete those nobody uses.")
        waiting = [] if user.approved else [one for one in self._users.values() if not one.approved]
        look = "An administrator looks through them: `outpost user list`."
        if sum(one.origin == user.origin for one in waiting) >= WAITING_PER_ADDRESS:
            raise Busy(f"{WAITING_PER_ADDRESS} accounts made from here wait for approval.", hint=look)
        if len(waiting) < WAITING_MAX:
            return None
        oldest = min(waiting, key=lambda one: one.created_us)
        if 0 <= user.created_us - oldest.created_us < WAITING_KEPT_S * 1_000_000:
            raise Busy("Too many accounts wait for approval.", hint=look)
        return oldest

    # --- logging in and out

    async def log_in(self, name: str, password: str, address: str) -> TokenPair:
        """A login by e-mail address or username, from a network address.

        Raises WrongLogin, NotActive (only with the right password), RateLimited.
        """
        key = login_key(name)
        user = self.find(key)
        guessed_at = user.id if user else key  # by whichever name: one account has one count
        self.throttle.attempt(guessed_at, address)
        stored = self._hashes[user.id] if user else None
        stored = None if stored == NO_PASSWORD else stored
        try:
            is_right = await self._passwords.verify(stored, password)
        except RateLimited:
            self.throttle.forgive(guessed_at, address)
            raise
        if not is_right or user is None or stored is None:
            raise WrongLogin("Incorrect username or password")
        self.throttle.worked(guessed_at, address)
        return await self._sessions.begin(self._as_it_is(user.id), stored)

    async def begin(self, user: User) -> TokenPair:
        """A new login of a user whose identity is proved. Raises NotActive."""
        return await self._sessions.begin(self._as_it_is(user.id), self._hashes.get(user.id, ""))

    async def refresh(self, refresh_token: str) -> TokenPair:
        """The next pair of tokens for a refresh token, which is used up. Raises TokenInvalid, TokenRefused."""
        session, claims = self._sessions.session_of(refresh_token)
        user = self._as_it_is(session.user_id)
        if not user.active:
            raise TokenRefused("This account may not log in.")
        return await self._sessions.renew(session, str(claims["jti"]), user)

    async def log_out(self, access_token: str) -> int:
        """End all logins of the user whose token this is, however old it is; how many there were."""
        try:
            user_id = self._sessions.user_id_of(access_token, however_old=True)
        except TokenInvalid:
            return 0
        return await self.log_out_user(user_id)

    async def log_out_user(self, user_id: str) -> int:
        """End all logins of a user; how many there were."""
        return await self._sessions.end_all(user_id)

    async def learn(self, access_token: str) -> None:
        """Whose a token is, is known here without a look."""

    def user_of(self, access_token: str) -> User:
        """Whose access token this is.

        Raises TokenInvalid (not ours, too old, logged out) or TokenRefused (of the other type, or its user may not
        log in); both are Unauthenticated.
        """
        user = self._users[self._sessions.user_id_of(access_token)]
        if not user.active:
            raise TokenRefused("This account may not log in.")
        return user

    # --- who there is

    def user_by_id(self, user_id: str) -> User | None:
        """The user with exactly this id."""
        return self._users.get(user_id)

    def find(self, name: str) -> User | None:
        """The user with this id, e-mail address or username, in any case."""
        user_id = self._by_name.get(login_key(name), name)
        return self._users.get(user_id)

    def get(self, name: str) -> User:
        """Like find. Raises NotFound."""
        user = self.find(name)
        if user is None:
            raise NotFound(f"There is no account {name[:100]!r}.", hint="`outpost user list` shows them all.")
        return user

    def all(self) -> list[User]:
        """Every user, those who wait for approval first, then by address."""
        return sorted(self._users.values(), key=lambda user: (user.approved, user.email))

    def sessions_of(self, user_id: str) -> list[Session]:
        """A user's open logins."""
        return self._sessions.of(user_id)

    def mark_of(self, email: str) -> str:
        """What a fact says instead of an address: the same for the same one, and told by this hub's secret only."""
        return blake2b(email.encode(), digest_size=16, key=self._mark_key).hexdigest()

    # --- changing accounts

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
        changes: dict[str, str] = {}
        if email is not None:
            changes["email"] = clean_email(email)
        if username is not None:
            changes["username"] = clean_username(username)
        if full_name is not None:
            changes["full_name"] = clean_full_name(full_name)
        if preferences is not None:
            changes["preferences"] = preferences
        async with self._changing:
            now = self._as_it_is(user.id)
            changed = msgspec.structs.replace(now, **changes)
            if changed == now:
                return now
            return await self._save(changed, "user.changed", user.actor, changed=sorted(changes))

    async def approve(self, user: User, *, actor: str) -> User:
        """Let somebody who has signed up log in. Approving twice changes nothing."""
        async with self._changing:
            now = self._as_it_is(user.id)
            if now.approved:
                return now
            return await self._save(msgspec.structs.replace(now, approved=True, origin=""), "user.approved", actor)

    async def set_disabled(self, user: User, disabled: bool, *, actor: str) -> User:
        """Shut an account, ending its logins at once, or open it again."""
        async with self._changing:
            now = self._as_it_is(user.id)
            if now.disabled == disabled:
                return now
            changed = msgspec.structs.replace(now, disabled=disabled)
            saved = await self._save(changed, "user.disabled" if disabled else "user.enabled", actor)
            if disabled:
                await self.log_out_user(user.id)
            return saved

    async def set_password(
        self,
        user: User,
        password: str,
        *,
        actor: str,
        field: str = "password",
        proof: Callable[[Transaction], None] = lambda tx: None,
    ) -> None:
        """A new password: every login of the user ends. Raises WrongPart, naming `field`, and what `proof` raises.

        `proof` runs in the same transaction, before anything is changed.
        """
        password_hash = await self._passwords.hash(check_password(password, field))

        def work(tx: Transaction) -> None:
            proof(tx)
            sql.set_password(tx, user.id, password_hash, actor)
            tx.after(lambda: self._password_set(user.id, password_hash))

        async with self._changing:
            self._as_it_is(user.id)
            await self._db.write(work)

    async def delete(self, user: User, *, actor: str) -> None:
        """Erase an account; its devices stay and have no owner."""

        def work(tx: Transaction) -> None:
            sql.delete_user(tx, user.id, actor)
            tx.after(lambda: self._gone(user.id))

        async with self._changing:
            self._as_it_is(user.id)
            await self._db.write(work)

    async def keep(self, person: Person, *, actor: str, within: Within = nothing) -> None:
        """Have an account for somebody whom head office knows, as it tells of him; it has no password here.

        `within` runs in the same transaction, also where nothing changes. Raises WrongPart; Conflict where the
        address is another account's, unless that still waits for approval: then it makes room. Busy.
        """
        async with self._changing:
            mine = self._users.get(person.id)
            if mine is None and (person.gone or not person.active):
                await self._db.write(within)
            elif mine is not None and person.gone:
                await self._db.write(lambda tx: self._drop(tx, mine, actor, within))
            else:
                user = as_told(person, mine, self._by_name, now_us=self._clock.now().at_us, actor=actor)
                await self._keep(mine, user, actor, within)

    async def _keep(self, mine: User | None, user: User, actor: str, within: Within) -> None:
        taker = self._users.get(self._by_name.get(user.email, ""))
        if taker is not None and (taker.id == user.id or taker.approved):
            taker = None  # his own, or one that says so itself when this is written
        if mine is None and len(self._users) >= USERS_MAX:
            raise Busy(f"There are {USERS_MAX} accounts at this site already.")

        def work(tx: Transaction) -> None:
            within(tx)
            if taker is not None:
                sql.delete_user(tx, taker.id, actor)
                tx.after(lambda: self._gone(taker.id))
            if mine is None:
                sql.insert_user(tx, user, NO_PASSWORD, self.mark_of(user.email))
            elif mine != user:
                sql.save_user(tx, user, "user.changed", actor)
            if user.disabled:
                sql.end_sessions(tx, user.id)
                tx.after(lambda: self._sessions.ended(self.sessions_of(user.id)))
            tx.after(lambda: self._remember(user, self._hashes.get(user.id, NO_PASSWORD)))

        await self._db.write(work)

    def _drop(self, tx: Transaction, user: User, actor: str, within: Within) -> None:
        within(tx)
        sql.delete_user(tx, user.id, actor)
        tx.after(lambda: self._gone(user.id))

    async def _save(self, user: User, fact: str, actor: str, **body: object) -> User:
        def work(tx: Transaction) -> None:
            sql.save_user(tx, user, fact, actor, **body)
            tx.after(lambda: self._remember(user, self._hashes[user.id]))

        await self._db.write(work)
        return user

    # --- memory follows the commit

    def _as_it_is(self, user_id: str) -> User:
        user = self._users.get(user_id)
        if user is None:
            raise NotFound("This account has been deleted.", hint="`outpost user list` shows them all.")
        return user

    def _remember(self, user: User, password_hash: str) -> None:
        self._unname(user.id)
        self._users[user.id], self._hashes[user.id] = user, password_hash
        self._by_name[user.email] = self._by_name[user.username.lower()] = user.id

    def _unname(self, user_id: str) -> None:
        before = self._users.get(user_id)
        if before is not None:
            del self._by_name[before.email], self._by_name[before.username.lower()]

    def _password_set(self, user_id: str, password_hash: str) -> None:
        self._hashes[user_id] = password_hash
        self._sessions.ended(self.sessions_of(user_id))

    def _gone(self, user_id: str) -> None:
        self._sessions.ended(self.sessions_of(user_id))
        self._unname(user_id)
        del self._users[user_id], self._hashes[user_id]
        self._bus.publish(UserGone(user_id=user_id))
