"""The only SQL for logins, and for the secrets they are signed with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, Select, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.people_models import Login, Person, Secret

ACTIVE = "active"
FORGOTTEN_US = 90 * 86_400_000_000  # behind its end


async def secret(connection: AsyncConnection, name: str, fresh: bytes) -> bytes:
    """The secret of that name; `fresh` becomes it where there is none yet, whichever instance is first."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(dialect.insert(Secret).values(name=name, value=fresh).on_conflict_do_nothing())
    return bytes((await connection.execute(select(Secret.value).where(Secret.name == name))).scalar_one())


async def called(connection: AsyncConnection, name: str) -> Sequence[RowMapping]:
    """Everybody, of any tenant, whose address or username this is, in lower case: what a password is tried at."""
    query = select(Person.__table__).where((Person.email == name) | (Person.username == name))
    return (await connection.execute(query.order_by(Person.tenant_id, Person.id))).mappings().all()


async def insert_login(connection: AsyncConnection, **values: object) -> None:
    """Add one."""
    await connection.execute(insert(Login).values(**values))


def _open() -> Select[tuple[object, ...]]:
    """Logins that are not over, of people who may be here, with who they are."""
    login, person = Login.__table__.c, Person.__table__.c
    return (
        select(
            login.tenant_id, login.id, login.hash, login.kind, login.until_us, login.seen_us, login.created_us,
            login.address, login.agent, person.id.label("person"), person.username, person.role, person.sites,
        )
        .join(Person.__table__, (person.tenant_id == login.tenant_id) & (person.id == login.person_id))
        .where(login.ended_us.is_(None), person.state == ACTIVE)
    )  # fmt: skip


async def open_by_hash(
    connection: AsyncConnection, hashes: Collection[bytes], now_us: int, idle_us: int
) -> Sequence[RowMapping]:
    """Those of these hashes that are good now."""
    query = _open().where(Login.hash.in_(hashes), Login.until_us > now_us, Login.seen_us > now_us - idle_us)
    return (await connection.execute(query)).mappings().all()


async def open_of(
    connection: AsyncConnection, tenant_id: int, now_us: int, idle_us: int, *, person: str = ""
) -> Sequence[RowMapping]:
    """A tenant's open logins, or one person's, the newest first."""
    query = _open().where(Login.tenant_id == tenant_id, Login.until_us > now_us, Login.seen_us > now_us - idle_us)
    if person:
        query = query.where(Login.person_id == person)
    return (await connection.execute(query.order_by(Login.created_us.desc(), Login.id))).mappings().all()


async def owner(connection: AsyncConnection, tenant_id: int, login: str) -> RowMapping | None:
    """Whose login this is: `person`, `username`, and the `sites` he reaches."""
    query = (
        select(Login.person_id.label("person"), Person.username, Person.sites)
        .join(Person, (Person.tenant_id == Login.tenant_id) & (Person.id == Login.person_id))
        .where(Login.tenant_id == tenant_id, Login.id == login)
    )
    return (await connection.execute(query)).mappings().first()


async def as_it_was(connection: AsyncConnection, tenant_id: int, person: str, password: str) -> bool:
    """Whether somebody may still log in with this hash; it stays so until the transaction ends."""
    query = select(Person.id).where(
        Person.tenant_id == tenant_id, Person.id == person, Person.password == password, Person.state == ACTIVE
    )
    return (await connection.execute(query.with_for_update())).first() is not None


async def keep_newest(connection: AsyncConnection, tenant_id: int, person: str, now_us: int, count: int) -> None:
    """End all open logins of somebody but the newest, and forget those that have been over for long."""
    his = (Login.tenant_id == tenant_id, Login.person_id == person)
    newest = (
        select(Login.id)
        .where(*his, Login.ended_us.is_(None), Login.until_us > now_us)
        .order_by(Login.created_us.desc(), Login.id)
        .limit(count)
    )
    kept = list((await connection.execute(newest)).scalars())
    older = update(Login).where(*his, Login.ended_us.is_(None), Login.id.not_in(kept))
    await connection.execute(older.values(ended_us=now_us))
    await connection.execute(delete(Login).where(*his, Login.until_us < now_us - FORGOTTEN_US))


async def end(
    connection: AsyncConnection, tenant_id: int, now_us: int, *, login: str = "", person: str = "", but: str = ""
) -> list[str]:
    """End one login, or all of a person except `but`; the ids of those that were open."""
    query = update(Login).where(Login.tenant_id == tenant_id, Login.ended_us.is_(None))
    query = query.where(Login.id == login) if login else query.where(Login.person_id == person, Login.id != but)
    ended = await connection.execute(query.values(ended_us=now_us).returning(Login.id))
    return list(ended.scalars())


async def note_seen(connection: AsyncConnection, tenant_id: int, login: str, seen_us: int) -> None:
    """Note when somebody was last here."""
    query = update(Login).where(Login.tenant_id == tenant_id, Login.id == login, Login.seen_us < seen_us)
    await connection.execute(query.values(seen_us=seen_us))
