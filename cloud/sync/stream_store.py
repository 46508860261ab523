"""The only SQL for streams, their epochs, and the session that may move them.

A stream's row is the lock of all that moves it: whoever holds it has the session checked behind it, so that nothing
of an older session gets in once a new one has begun.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import msgspec
from sqlalchemy import RowMapping, Update, and_, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.models import Epoch, Site, Stream
from cloud.sites.gate import HubCaller
from edge.errors import Expects, Revoked, SessionOver
from edge.wire.ledger import GENESIS

LEDGER, READINGS = "ledger", "readings"
STREAMS = (LEDGER, READINGS)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's row. `hash`: of the ledger's row `next - 1`; of the readings' row `high`, empty where none is.
    `watched`: changes with what readings are waited for."""

    epoch: str
    epoch_no: int
    next: int
    hash: bytes
    high: int
    head: int
    complete_us: int
    watched: int = 0


_COLUMNS = [getattr(Stream, name) for name in Standing.__struct_fields__]
_OF_SITE = and_(Site.tenant_id == bindparam("of_tenant"), Site.id == bindparam("of_site"))
_OF_STREAMS = and_(Stream.tenant_id == bindparam("of_tenant"), Stream.site_id == bindparam("of_site"))
_OF_STREAM = and_(_OF_STREAMS, Stream.stream == bindparam("of_stream"))
_LOCK_SITE = select(Site.__table__).where(_OF_SITE).with_for_update()
_SESSION = select(Site.session, Site.state).where(_OF_SITE)
_LOCK = select(*_COLUMNS).where(_OF_STREAM).with_for_update()
_LOCK_ALL = select(Stream.stream, *_COLUMNS).where(_OF_STREAMS).order_by(Stream.stream).with_for_update()


async def lock_site(connection: AsyncConnection, site: HubCaller) -> RowMapping:
    """The site's row, held until the transaction ends. Raises Revoked."""
    row = (await connection.execute(_LOCK_SITE, _site(site))).mappings().first()
    if row is None or row["state"] == "revoked":
        raise Revoked()
    return row


async def require_session(connection: AsyncConnection, site: HubCaller, session: int) -> None:
    """Raise SessionOver unless `session` is the one that counts, Revoked."""
    row = (await connection.execute(_SESSION, _site(site))).first()
    if row is None or row.state == "revoked":
        raise Revoked()
    if row.session != session:
        raise SessionOver()


async def change_site(connection: AsyncConnection, site: HubCaller, **values: object) -> None:
    """Set columns of the site's row."""
    await connection.execute(_changing(Site, tuple(values)), {**_site(site), **_new(values)})


async def lock(connection: AsyncConnection, site: HubCaller, stream: str) -> Standing | None:
    """Where a stream stands, held until the transaction ends; None before the site's first hello."""
    row = (await connection.execute(_LOCK, {**_site(site), "of_stream": stream})).mappings().first()
    return Standing(**row) if row is not None else None


async def lock_all(connection: AsyncConnection, site: HubCaller) -> dict[str, Standing]:
    """Where each stream stands, held until the transaction ends."""
    rows = (await connection.execute(_LOCK_ALL, _site(site))).mappings()
    return {row["stream"]: Standing(**{name: row[name] for name in Standing.__struct_fields__}) for row in rows}


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
    where = {**_site(site), "of_stream": stream}
    await connection.execute(_changing(Stream, tuple(values)), {**where, **_new(values)})


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


def _site(site: HubCaller) -> dict[str, object]:
    return {"of_tenant": site.tenant_id, "of_site": site.site_id}


def _new(values: Mapping[str, object]) -> dict[str, object]:
    return {f"new_{name}": value for name, value in values.items()}


@functools.cache
def _changing(table: type[Site] | type[Stream], names: tuple[str, ...]) -> Update:
    """The statement that sets these columns: building one costs more than running it, and there are few."""
    where = _OF_SITE if table is Site else _OF_STREAM
    return update(table).where(where).values({name: bindparam(f"new_{name}") for name in names})
