"""The only SQL for logins of older systems' apps, and for what their people change of their own accounts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.login_store import ACTIVE
from cloud.db.people_models import Login, Person

KIND = "things"
_PERSON = (
    Person.tenant_id, Person.id, Person.email, Person.username, Person.full_name, Person.role, Person.sites,
    Person.preferences, Person.created_us, Person.created_by,
)  # fmt: skip


async def open_by_hash(connection: AsyncConnection, hashes: Collection[bytes], now_us: int) -> Sequence[RowMapping]:
    """Those of these that are good now, with whose they are: `hash`, `login`, `until_us`, and the person."""
    query = (
        select(Login.hash, Login.id.label("login"), Login.until_us, *_PERSON)
        .join(Person, (Person.tenant_id == Login.tenant_id) & (Person.id == Login.person_id))
        .where(Login.hash.in_(hashes), *_open(now_us), Person.state == ACTIVE)
    )
    return (await connection.execute(query)).mappings().all()


async def renew(
    connection: AsyncConnection, shown: bytes, now_us: int, until_us: int, *, before: bytes, after: bytes
) -> bool:
    """Give a login its next token to renew it by; False unless `before` is the good one."""
    query = update(Login).where(Login.hash == shown, Login.refresh_hash == before, *_open(now_us))
    done = await connection.execute(
        query.values(refresh_hash=after, until_us=until_us, seen_us=now_us).returning(Login.id)
    )
    return done.first() is not None


async def end_one(connection: AsyncConnection, shown: bytes, now_us: int) -> None:
    """End a login."""
    await connection.execute(update(Login).where(Login.hash == shown, *_open(now_us)).values(ended_us=now_us))


async def end_all(connection: AsyncConnection, shown: bytes, now_us: int) -> int:
    """End all logins with this app of whose login that is, be it over; how many there were."""
    whose = (await connection.execute(select(Login.tenant_id, Login.person_id).where(Login.hash == shown))).first()
    if whose is None:
        return 0
    his = update(Login).where(Login.tenant_id == whose[0], Login.person_id == whose[1], *_open(now_us))
    return len((await connection.execute(his.values(ended_us=now_us).returning(Login.id))).all())


async def waiting(connection: AsyncConnection, tenant_id: int, created_by: str = "") -> int:
    """How many accounts wait for an administrator; of those who signed up as `created_by` says."""
    query = select(func.count()).where(Person.tenant_id == tenant_id, Person.state == "waiting")
    if created_by:
        query = query.where(Person.created_by == created_by)
    return int((await connection.execute(query)).scalar_one())


async def by_code(connection: AsyncConnection, digest: bytes, now_us: int) -> bool:
    """Whether this is somebody's code to set a password with."""
    query = select(Person.id).where(
        Person.reset_hash == digest, Person.reset_until_us > now_us, Person.state == ACTIVE
    )
    return (await connection.execute(query)).first() is not None


def _open(now_us: int) -> tuple[ColumnElement[bool], ...]:
    return Login.kind == KIND, Login.ended_us.is_(None), Login.until_us > now_us
