"""The only SQL for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.login_store import ACTIVE
from cloud.db.models import Tenant
from cloud.db.people_models import Login, Person


def _people(tenant_id: int) -> Select[Any]:
    """A tenant's people, with when each was last here."""
    seen = (
        select(func.max(Login.seen_us))
        .where(Login.tenant_id == Person.tenant_id, Login.person_id == Person.id)
        .scalar_subquery()
        .label("seen_us")
    )
    return select(Person.__table__, seen).where(Person.tenant_id == tenant_id)


async def listed(connection: AsyncConnection, tenant_id: int) -> Sequence[RowMapping]:
    """All of a tenant, by username."""
    every = _people(tenant_id).order_by(Person.username)
    rows: Sequence[RowMapping] = (await connection.execute(every)).mappings().all()
    return rows


async def found(connection: AsyncConnection, tenant_id: int, name: str) -> RowMapping | None:
    """Who has this id; else whose address or username it is, in lower case."""
    for column, value in ((Person.id, name), (Person.email, name.lower()), (Person.username, name.lower())):
        one = _people(tenant_id).where(column == value)
        row: RowMapping | None = (await connection.execute(one)).mappings().first()
        if row is not None:
            return row
    return None


async def of_username(connection: AsyncConnection, tenant_id: int, username: str) -> RowMapping | None:
    """Who has this username."""
    one = select(Person.__table__).where(Person.tenant_id == tenant_id, Person.username == username)
    return (await connection.execute(one)).mappings().first()


async def insert_person(connection: AsyncConnection, **values: object) -> None:
    """Add somebody. Under the lock of his tenant, as `names` and `administrators` are asked."""
    await connection.execute(insert(Person).values(**values))


async def change(connection: AsyncConnection, tenant_id: int, person: str, **values: object) -> None:
    """Set columns of somebody."""
    query = update(Person).where(Person.tenant_id == tenant_id, Person.id == person)
    await connection.execute(query.values(**values))


async def names(connection: AsyncConnection, tenant_id: int) -> tuple[dict[str, str], set[str]]:
    """Ids by address, and all usernames, of a tenant."""
    rows = await connection.execute(
        select(Person.email, Person.id, Person.username).where(Person.tenant_id == tenant_id)
    )
    emails, usernames = {}, set()
    for email, person, username in rows:
        emails[email] = person
        usernames.add(username)
    return emails, usernames


async def administrators(connection: AsyncConnection, tenant_id: int) -> set[str]:
    """The ids of those who can log in and are administrators for all sites."""
    query = select(Person.id).where(
        Person.tenant_id == tenant_id,
        Person.state == ACTIVE,
        Person.role == "admin",
        Person.sites == "",
        Person.password != "",
    )
    return set((await connection.execute(query)).scalars())


async def by_code(
    connection: AsyncConnection, code_hash: bytes, now_us: int, *, lock: bool = False
) -> RowMapping | None:
    """Whose code this is, of any tenant, while it is good; with `lock` nobody else uses it before the transaction
    ends."""
    query = select(Person.__table__).where(
        Person.reset_hash == code_hash, Person.reset_until_us > now_us, Person.state == ACTIVE
    )
    query = query.with_for_update() if lock else query
    return (await connection.execute(query)).mappings().first()


async def tenant_name(connection: AsyncConnection, tenant_id: int) -> str:
    """What a tenant is called."""
    return str((await connection.execute(select(Tenant.name).where(Tenant.id == tenant_id))).scalar_one())
