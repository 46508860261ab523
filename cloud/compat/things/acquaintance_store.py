"""The only SQL for what hubs were told of people, and for devices of theirs as hubs last told of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, RowMapping, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import Member
from cloud.compat.store import devices_where
from cloud.db.models import Site
from cloud.db.people_models import Person
from cloud.db.visit_models import Acquaintance
from cloud.fleet.state_store import SITE

DEVICES = 200  # of one person; a hub gives him half of that
PERSON = (
    Person.tenant_id, Person.id, Person.email, Person.username, Person.full_name, Person.sites, Person.state,
)  # fmt: skip


async def told(connection: AsyncConnection, tenant_id: int, site_id: int, person: str) -> RowMapping | None:
    """What the hub of a site was told of somebody."""
    query = select(Acquaintance.told, Acquaintance.item, Acquaintance.applied).where(
        *_one(tenant_id, site_id, person)
    )
    return (await connection.execute(query)).mappings().first()


async def tell(
    connection: AsyncConnection, tenant_id: int, site_id: int, person: str, *, told: str, item: str, now_us: int
) -> None:
    """Note what a hub is being told from now on."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {"told": told, "item": item, "applied": False, "told_us": now_us}
    insert = dialect.insert(Acquaintance).values(tenant_id=tenant_id, site_id=site_id, person_id=person, **values)
    key = ["tenant_id", "site_id", "person_id"]
    await connection.execute(insert.on_conflict_do_update(index_elements=key, set_=values))


async def applied(connection: AsyncConnection, tenant_id: int, site_id: int, person: str, item: str) -> None:
    """The hub has taken over what this item told it."""
    query = update(Acquaintance).where(*_one(tenant_id, site_id, person), Acquaintance.item == item)
    await connection.execute(query.values(applied=True))


async def forget(connection: AsyncConnection, tenant_id: int, site_id: int, person: str) -> None:
    """The hub knows nothing of him, or would not: it is to be told anew."""
    await connection.execute(delete(Acquaintance).where(*_one(tenant_id, site_id, person)))


async def every(connection: AsyncConnection, behind: tuple[int, int, str], limit: int) -> Sequence[RowMapping]:
    """People whom hubs know, with what those were told, behind the one of that key."""
    key = (Acquaintance.tenant_id, Acquaintance.site_id, Acquaintance.person_id)
    query = (
        select(*PERSON, Acquaintance.told, *SITE)
        .join_from(
            Acquaintance,
            Person,
            (Person.tenant_id == Acquaintance.tenant_id) & (Person.id == Acquaintance.person_id),
        )
        .join(Site, (Site.tenant_id == Acquaintance.tenant_id) & (Site.id == Acquaintance.site_id))
        .where(
            (key[0] > behind[0])
            | ((key[0] == behind[0]) & (key[1] > behind[1]))
            | ((key[0] == behind[0]) & (key[1] == behind[1]) & (key[2] > behind[2]))
        )
        .order_by(*key)
        .limit(limit)
    )
    return (await connection.execute(query)).mappings().all()


async def devices_of(connection: AsyncConnection, member: Member, owner: str, site: str) -> Sequence[RowMapping]:
    """Devices at a site whose view says that they are this person's, as hubs know him."""
    return await devices_where(connection, member, "owner", owner, DEVICES, site)


def _one(tenant_id: int, site_id: int, person: str) -> tuple[ColumnElement[bool], ...]:
    return (
        Acquaintance.tenant_id == tenant_id,
        Acquaintance.site_id == site_id,
        Acquaintance.person_id == person,
    )
