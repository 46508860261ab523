"""The only SQL for tenants and keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.accounts.member import FIRST_TENANT
from cloud.db.models import ApiKey, Site, Tenant


async def insert_first_tenant(connection: AsyncConnection, name: str, now_us: int) -> bool:
    """Make it unless it is there; of several that try at once, one is told that it did."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    query = dialect.insert(Tenant).values(id=FIRST_TENANT, name=name, created_us=now_us)
    made = await connection.execute(query.on_conflict_do_nothing().returning(Tenant.id))
    return made.first() is not None


async def lock_tenant(connection: AsyncConnection, tenant_id: int) -> None:
    """Until the transaction ends, nobody else gets past this for the same tenant."""
    await connection.execute(select(Tenant.id).where(Tenant.id == tenant_id).with_for_update())


async def insert_tenant(connection: AsyncConnection, name: str, now_us: int) -> int:
    """Add one; its id. Under the lock of the first tenant."""
    last = (await connection.execute(select(func.max(Tenant.id)))).scalar_one()
    await connection.execute(insert(Tenant).values(id=last + 1, name=name, created_us=now_us))
    return int(last) + 1


async def tenants(connection: AsyncConnection) -> Sequence[RowMapping]:
    """All of them, by id, with the number of their sites."""
    count = (
        select(func.count()).select_from(Site).where(Site.tenant_id == Tenant.id).scalar_subquery().label("sites")
    )
    query = select(Tenant.id, Tenant.name, Tenant.created_us, count).order_by(Tenant.id)
    return (await connection.execute(query)).mappings().all()


async def insert_key(connection: AsyncConnection, **values: object) -> None:
    """Add one."""
    await connection.execute(insert(ApiKey).values(**values))


async def live_keys(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Those in use, of all tenants: what a request is looked up in."""
    return (await connection.execute(select(ApiKey.__table__).where(ApiKey.revoked_us.is_(None)))).mappings().all()


async def live_key(connection: AsyncConnection, tenant_id: int, name: str) -> RowMapping | None:
    """The key of that name, while it is in use."""
    named = ApiKey.tenant_id == tenant_id, ApiKey.name == name, ApiKey.revoked_us.is_(None)
    return (await connection.execute(select(ApiKey.__table__).where(*named))).mappings().first()


async def keys_of(connection: AsyncConnection, tenant_id: int) -> Sequence[RowMapping]:
    """All of a tenant, revoked ones too, the oldest first."""
    query = select(ApiKey.__table__).where(ApiKey.tenant_id == tenant_id).order_by(ApiKey.created_us, ApiKey.id)
    return (await connection.execute(query)).mappings().all()


async def is_known(connection: AsyncConnection, secret_hash: bytes) -> bool:
    """Whether there is or was a key with this hash."""
    return (await connection.execute(select(ApiKey.id).where(ApiKey.hash == secret_hash))).first() is not None


async def revoke_key(connection: AsyncConnection, tenant_id: int, key_id: str, now_us: int) -> bool:
    """Revoke one that is in use; False when there is none."""
    done = await connection.execute(
        update(ApiKey)
        .where(ApiKey.tenant_id == tenant_id, ApiKey.id == key_id, ApiKey.revoked_us.is_(None))
        .values(revoked_us=now_us)
    )
    return done.rowcount == 1


async def note_use(connection: AsyncConnection, tenant_id: int, key_id: str, used_us: int) -> None:
    """Note when a key was last used, unless another instance knows of a later time."""
    await connection.execute(
        update(ApiKey)
        .where(ApiKey.tenant_id == tenant_id, ApiKey.id == key_id, func.coalesce(ApiKey.used_us, 0) < used_us)
        .values(used_us=used_us)
    )


async def slugs(connection: AsyncConnection, tenant_id: int, wanted: Collection[str]) -> set[str]:
    """Those of `wanted` that are sites of the tenant."""
    query = select(Site.slug).where(Site.tenant_id == tenant_id, Site.slug.in_(wanted))
    return set((await connection.execute(query)).scalars())
