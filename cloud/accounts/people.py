"""People: added, changed, shut out and let in again by an administrator; their passwords, set with a code.

Nobody gives more than he has, nobody changes what he himself may, and the last administrator for all sites stays
one. Whatever changes here holds for open logins at once (logins.py).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts import login_store, store
from cloud.accounts import people_store as sql
from cloud.accounts.audit import record
from cloud.accounts.keys import SITES_HINT
from cloud.accounts.logins import Logins
from cloud.accounts.member import Member
from cloud.accounts.person import (
    ACTIVE,
    DISABLED,
    WAITING,
    Changes,
    Wanted,
    covered,
    new_code,
    require_another,
    require_covered,
    role_of,
    state_of,
    told,
    what_it_was,
)
from cloud.db.database import Database
from edge.access.accounts.model import (
    WrongPart,
    check_password,
    clean_code,
    clean_email,
    clean_full_name,
    clean_username,
    username_from,
)
from edge.access.model import hash_secret
from edge.clock import Clock
from edge.errors import Conflict, Forbidden, NotFound, OutpostError, RateLimited
from edge.serving.limits import RateLimit
from edge.serving.roles import Role

OWN_PASSWORDS = (
    6  # changes an hour of one's own password: each is three hashes, and everybody's logins wait for them
)
HOUR_S = 3600.0
AGAIN_S = 2.0  # when to come again while one is being changed
PEOPLE_MAX = 900  # of one tenant; fewer than the names that `username_from` tries
LIST_HINT = "`outpost user list` shows who there is."


class NoSuchCode(NotFound):
    """There is no such code, it was used, or its day is over."""

    hint = "Ask an administrator for another: `outpost user reset EMAIL`."


class People:
    """Everybody, of all tenants; each call is for the tenant of its `member`."""

    def __init__(self, database: Database, clock: Clock, logins: Logins) -> None:
        self._db, self._clock, self._logins = database, clock, logins
        self._own_passwords = RateLimit(OWN_PASSWORDS, clock, in_s=HOUR_S)
        self._changing: set[str] = set()  # who is changing his password now

    # --- who there is

    async def listed(self, member: Member) -> list[RowMapping]:
        """All who reach no more than `member` does, those who wait first, then by username."""
        async with self._db.read() as connection:
            rows = await sql.listed(connection, member.tenant_id)
        return sorted((row for row in rows if covered(member, row)), key=lambda row: row["state"] != WAITING)

    async def get(self, member: Member, name: str) -> RowMapping:
        """Whose id, address or username this is. Raises NotFound, also for one who reaches more than `member`."""
        async with self._db.read() as connection:
            return await self._found(connection, member, name)

    async def himself(self, member: Member) -> RowMapping | None:
        """The account of who asks, None for a key."""
        if not member.person:
            return None
        async with self._db.read() as connection:
            return await sql.found(connection, member.tenant_id, member.person)

    async def tenant_name(self, member: Member) -> str:
        """What the tenant is called."""
        async with self._db.read() as connection:
            return await sql.tenant_name(connection, member.tenant_id)

    # --- by an administrator

    async def add(self, member: Member, wanted: Wanted) -> tuple[RowMapping, str, int]:
        """Somebody new: his row, and the code with which he sets his password and until when ('' and 0 where a
        password is given). Raises BadInput, NotFound and Forbidden for sites, Conflict."""
        email, full_name = clean_email(wanted.email), clean_full_name(wanted.full_name)
        role = role_of(wanted.role)
        username = clean_username(wanted.username).lower() if wanted.username else ""
        require_covered(member, wanted.sites)
        password = await self._hashed(wanted.password) if wanted.password else ""
        person, now_us = f"p_{secrets.token_hex(8)}", self._clock.now().at_us
        async with self._db.write() as connection:
            await store.lock_tenant(connection, member.tenant_id)
            await _require_sites(connection, member, wanted.sites)
            emails, usernames = await sql.names(connection, member.tenant_id)
            if email in emails:
                raise Conflict("Somebody has this address already.", hint=LIST_HINT)
            if username in usernames:
                raise Conflict(
                    "Somebody has or had this username; the audit names people by it, so each has his own.",
                    hint="Give another, or none: one is made from the address.",
                )
            if len(usernames) >= PEOPLE_MAX:
                raise Conflict(f"There are {PEOPLE_MAX} people already.", hint=LIST_HINT)
            code, code_hash, until_us = ("", None, 0) if password else new_code(now_us)
            await sql.insert_person(
                connection,
                tenant_id=member.tenant_id,
                id=person,
                email=email,
                username=username or username_from(email, lambda name: name.lower() in usernames).lower(),
                full_name=full_name,
                role=role,
                sites=" ".join(sorted(wanted.sites)),
                state=ACTIVE,
                password=password,
                reset_hash=code_hash,
                reset_until_us=until_us,
                created_us=now_us,
                created_by=member.actor,
            )
            row = await self._found(connection, member, person)
            detail = {"username": row["username"], "role": role, "sites": sorted(wanted.sites)}
            await record(connection, member, "person.added", at_us=now_us, subject=person, detail=detail)
        return row, code, until_us

    async def change(self, member: Member, name: str, changes: Changes) -> RowMapping:
        """Change somebody; what he may from now on holds for his open logins at once.

        Raises BadInput, NotFound, Forbidden for oneself and for more than one has, Conflict for the last
        administrator.
        """
        values: dict[str, object] = {}
        if changes.email is not None:
            values["email"] = clean_email(changes.email)
        if changes.full_name is not None:
            values["full_name"] = clean_full_name(changes.full_name)
        if changes.role is not None:
            values["role"] = role_of(changes.role)
        if changes.state is not None:
            values["state"] = state_of(changes.state)
        if changes.sites is not None:
            require_covered(member, changes.sites)
            values["sites"] = " ".join(sorted(changes.sites))
        now_us = self._clock.now().at_us
        async with self._db.write() as connection:
            await store.lock_tenant(connection, member.tenant_id)
            before = await self._found(connection, member, name)
            if changes.of_rights:
                require_another(member, before)
            await _require_sites(connection, member, changes.sites or ())
            changed = {key: value for key, value in values.items() if before[key] != value}
            if not changed:
                return before
            await self._require_free_address(connection, member, before, changed)
            await sql.change(connection, member.tenant_id, before["id"], **changed)
            if changes.of_rights:
                await self._require_administrator(connection, member, before)
            if changed.get("state") == DISABLED:  # or opening the account again would open them too
                await login_store.end(connection, member.tenant_id, now_us, person=before["id"])
                await sql.change(connection, member.tenant_id, before["id"], reset_hash=None, reset_until_us=0)
            after = await self._found(connection, member, before["id"])
            await record(
                connection,
                member,
                what_it_was(before, changed),
                at_us=now_us,
                subject=before["id"],
                detail=told(before, after, changed),
            )
        await self._logins.changed()
        return after

    async def reset(self, member: Member, name: str) -> tuple[RowMapping, str, int]:
        """A code with which somebody sets a new password: his row, the code, until when. An earlier code is good no
        more; his password and his logins stay until the code is used. Raises NotFound, Forbidden, Conflict."""
        now_us = self._clock.now().at_us
        code, code_hash, until_us = new_code(now_us)
        async with self._db.write() as connection:
            await store.lock_tenant(connection, member.tenant_id)
            row = await self._found(connection, member, name)
            require_another(member, row)
            if row["state"] != ACTIVE:
                raise Conflict("This account is not open.", hint="Open it first: `outpost user enable EMAIL`.")
            await sql.change(connection, member.tenant_id, row["id"], reset_hash=code_hash, reset_until_us=until_us)
            detail = {"username": row["username"]}
            await record(connection, member, "person.reset", at_us=now_us, subject=row["id"], detail=detail)
        return row, code, until_us

    async def set_password(self, member: Member, name: str, password: str) -> None:
        """Set somebody's password; all his logins end. Raises WrongPart, NotFound, Forbidden, RateLimited."""
        require_another(member, await self.get(member, name))
        hashed = await self._hashed(password)
        async with self._db.write() as connection:
            await store.lock_tenant(connection, member.tenant_id)
            row = await self._found(connection, member, name)
            await self._put_password(connection, member, row, hashed)
        await self._logins.changed()

    # --- by himself

    async def rename_himself(self, member: Member, full_name: str) -> None:
        """Change one's own full name. Raises Forbidden for a key."""
        person, now_us = _own(member), self._clock.now().at_us
        async with self._db.write() as connection:
            values = {"full_name": clean_full_name(full_name)}
            await sql.change(connection, member.tenant_id, person, **values)
            detail = {"changed": ["full_name"]}
            await record(connection, member, "person.changed", at_us=now_us, subject=person, detail=detail)

    async def change_own_password(self, member: Member, old: str, new: str, *, address: str) -> None:
        """Change one's own password; all one's other logins end.

        Raises Forbidden for a key, WrongPart naming `old` or `new`, RateLimited for who guesses, who does it again
        and again, and who does it twice at once.
        """
        person = _own(member)
        check_password(new, "new")
        whose = f"{member.tenant_id}:{person}"
        self._own_passwords.require(whose)
        if whose in self._changing:
            raise RateLimited("Your password is being changed already.", retry_after_s=AGAIN_S)
        self._changing.add(whose)
        try:
            row = await self.himself(member)
            if row is None or not await self._logins.proves(row, old, address=address):
                raise WrongPart("old", "This is not your password.")
            self._own_passwords.take(whose)
            hashed = await self._hashed(new, "new")
            async with self._db.write() as connection:
                now = await login_store.as_it_was(connection, member.tenant_id, person, row["password"])
                if not now:
                    raise Conflict("Your password was changed meanwhile.", hint="Log in with the new one.")
                await self._put_password(connection, member, row, hashed, but=member.login)
        finally:
            self._changing.discard(whose)
        await self._logins.changed()

    async def set_by_code(self, code: str, password: str, *, address: str) -> str:
        """Set a password with a code, which is used up; all logins end. The username, to log in with.

        Raises WrongPart naming `password`, NoSuchCode, RateLimited for who guesses.
        """
        check_password(password)
        digest, guess = hash_secret(clean_code(code)), f"reset code {address}"
        self._logins.throttle.attempt(guess, address)
        try:
            async with self._db.read() as connection:  # what is wrong costs no hashing
                row = await sql.by_code(connection, digest, self._clock.now().at_us)
            if row is None:
                raise NoSuchCode()
            hashed = await self._hashed(password)
            async with self._db.write() as connection:
                row = await sql.by_code(connection, digest, self._clock.now().at_us, lock=True)
                if row is None:  # a second use, while the first was hashing
                    raise NoSuchCode()
                himself = Member(f"user:{row['username']}", Role.parse(row["role"]), tenant_id=row["tenant_id"])
                await self._put_password(connection, himself, row, hashed, how="code")
        except NoSuchCode:
            raise
        except OutpostError:
            self._logins.throttle.forgive(guess, address)
            raise
        self._logins.throttle.forgive(guess, address)
        await self._logins.changed()
        return str(row["username"])

    # --- parts of them

    async def _found(self, connection: AsyncConnection, member: Member, name: str) -> RowMapping:
        row = await sql.found(connection, member.tenant_id, name)
        if row is None or not covered(member, row):
            raise NotFound(f"There is nobody {name[:100]!r}.", hint=LIST_HINT)
        return row

    async def _hashed(self, password: str, field: str = "password") -> str:
        return await self._logins.passwords.hash(check_password(password, field))

    async def _put_password(
        self,
        connection: AsyncConnection,
        member: Member,
        row: RowMapping,
        hashed: str,
        *,
        but: str = "",
        how: str = "",
    ) -> None:
        tenant_id, person, now_us = member.tenant_id, row["id"], self._clock.now().at_us
        values = {"password": hashed, "reset_hash": None, "reset_until_us": 0}
        await sql.change(connection, tenant_id, person, **values)
        await login_store.end(connection, tenant_id, now_us, person=person, but=but)
        detail = {"username": row["username"], **({"by": how} if how else {})}
        await record(connection, member, "person.password_set", at_us=now_us, subject=person, detail=detail)

    async def _require_free_address(
        self, connection: AsyncConnection, member: Member, before: RowMapping, changed: dict[str, object]
    ) -> None:
        if "email" in changed:
            emails, _ = await sql.names(connection, member.tenant_id)
            if emails.get(str(changed["email"]), before["id"]) != before["id"]:
                raise Conflict("Somebody has this address already.", hint=LIST_HINT)

    async def _require_administrator(self, connection: AsyncConnection, member: Member, before: RowMapping) -> None:
        """Raise Conflict, which undoes it, if somebody has just stopped being the last administrator."""
        was_one = (before["role"], before["sites"], before["state"]) == ("admin", "", ACTIVE)
        if was_one and before["password"] and not await sql.administrators(connection, member.tenant_id):
            raise Conflict(
                "This is the last administrator for all sites who can log in.",
                hint="Make somebody else one first: `outpost user role EMAIL admin`.",
            )


def _own(member: Member) -> str:
    if not member.person:
        raise Forbidden("This is of a person who is logged in.", hint="Log in on the pages; a key has no account.")
    return member.person


async def _require_sites(connection: AsyncConnection, member: Member, sites: Iterable[str]) -> None:
    wanted = set(sites)
    if wanted - await store.slugs(connection, member.tenant_id, wanted):
        raise NotFound("There is no such site.", hint=SITES_HINT)
