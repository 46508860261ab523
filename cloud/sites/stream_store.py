"""The only SQL for streams, their epochs, and the session that may move them.

A stream's row is the lock of all that moves it: whoever holds it has the session checked behind it, so that nothing
of an older session gets in once a new one has begun.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, RowMapping, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import Epoch, Site, Stream
from cloud.sites.gate import HubCaller
from edge.errors import Expects, Revoked, SessionOver
from edge.wire.ledger import GENESIS

LEDGER, READINGS = "ledger", "readings"
STREAMS = (LEDGER, READINGS)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's row. `hash`: of the ledger's row `next - 1`; of the readings' row `high`, empty where none is."""

    epoch: str
    epoch_no: int
    next: int
    hash: bytes
    high: int
    head: int
    complete_us: int


_COLUMNS = [getattr(Stream, name) for name in Standing.__struct_fields__]


async def lock_site(connection: AsyncConnection, site: HubCaller) -> RowMapping:
    """The site's row, held until the transaction ends. Raises Revoked."""
    query = select(Site.__table__).where(_of_site(site)).with_for_update()
    row = (await connection.execute(query)).mappings().first()
    if row is None or row["state"] == "revoked":
        raise Revoked()
    return row


async def require_session(connection: AsyncConnection, site: HubCaller, session: int) -> None:
    """Raise SessionOver unless `session` is the one that counts, Revoked."""
    row = (await connection.execute(select(Site.session, Site.state).where(_of_site(site)))).first()
    if row is None or row.state == "revoked":
        raise Revoked()
    if row.session != session:
        raise SessionOver()


async def change_site(connection: AsyncConnection, site: HubCaller, **values: object) -> None:
    """Set columns of the site's row."""
    await connection.execute(update(Site).where(_of_site(site)).values(**values))


async def lock(connection: AsyncConnection, site: HubCaller, stream: str) -> Standing | None:
    """Where a stream stands, held until the transaction ends; None before the site's first hello."""
    query = select(*_COLUMNS).where(_of_stream(site, stream)).with_for_update()
    row = (await connection.execute(query)).mappings().first()
    return Standing(**row) if row is not None else None


async def claim(connection: AsyncConnection, site: HubCaller, session: int, stream: str, epoch: str) -> Standing:
    """`lock`, for a batch of `epoch` in `session`. Raises SessionOver, Revoked, Expects."""
    standing = await lock(connection, site, stream)
    await require_session(connection, site, session)
    if standing is None or standing.epoch != epoch:
        raise Expects(f"This is not the epoch of {stream} that was begun here last.")
    return standing


async def add(connection: AsyncConnection, site: HubCaller, stream: str, epoch: str, now_us: int) -> Standing:
    """A stream's first epoch."""
    no_hash = GENESIS if stream == LEDGER else b""
    standing = Standing(epoch=epoch, epoch_no=1, next=1, hash=no_hash, high=0, head=0, complete_us=0)
    await connection.execute(
        insert(Stream).values(**_key(site), stream=stream, **msgspec.structs.asdict(standing), moved_us=now_us)
    )
    await add_epoch(connection, site, stream, standing, base=0, base_hash=GENESIS, why="", now_us=now_us)
    return standing


async def move(connection: AsyncConnection, site: HubCaller, stream: str, **values: object) -> None:
    """Set columns of a stream's row, which is locked."""
    await connection.execute(update(Stream).where(_of_stream(site, stream)).values(**values))


async def epochs(connection: AsyncConnection, tenant_id: int, site_id: int, stream: str) -> list[RowMapping]:
    """All epochs of a stream, the first one first."""
    query = (
        select(Epoch.epoch_no, Epoch.epoch, Epoch.base, Epoch.base_hash)
        .where(Epoch.tenant_id == tenant_id, Epoch.site_id == site_id, Epoch.stream == stream)
        .order_by(Epoch.epoch_no)
    )
    return list((await connection.execute(query)).mappings())


async def add_epoch(
    connection: AsyncConnection,
    site: HubCaller,
    stream: str,
    standing: Standing,
    *,
    base: int,
    base_hash: bytes,
    why: str,
    now_us: int,
) -> None:
    """Note the epoch that a stream now has."""
    await connection.execute(
        insert(Epoch).values(
            **_key(site),
            stream=stream,
            epoch_no=standing.epoch_no,
            epoch=standing.epoch,
            base=base,
            base_hash=base_hash,
            why=why,
            began_us=now_us,
        )
    )


async def ledger_end(connection: AsyncConnection, tenant_id: int, site_id: int) -> tuple[int, bytes]:
    """Number and hash of the last fact that was taken; 0 before the first."""
    query = select(Stream.next, Stream.hash).where(
        Stream.tenant_id == tenant_id, Stream.site_id == site_id, Stream.stream == LEDGER
    )
    row = (await connection.execute(query)).first()
    return (row.next - 1, row.hash) if row is not None else (0, GENESIS)


def _key(site: HubCaller) -> dict[str, int]:
    return {"tenant_id": site.tenant_id, "site_id": site.site_id}


def _of_site(site: HubCaller) -> ColumnElement[bool]:
    return and_(Site.tenant_id == site.tenant_id, Site.id == site.site_id)


def _of_stream(site: HubCaller, stream: str) -> ColumnElement[bool]:
    return and_(Stream.tenant_id == site.tenant_id, Stream.site_id == site.site_id, Stream.stream == stream)
