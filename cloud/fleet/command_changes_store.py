"""The only SQL that follows commands as they change at the centre alone, without a fact of a hub, in the order it
settles."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.models import CommandRow, Site
from cloud.fleet.command_model import Command

Position = tuple[int, int]
"""Transaction and number of a change."""


async def note(connection: AsyncConnection, database: Database, commands: Sequence[Command]) -> None:
    """Number these changes, in the transaction that saves them."""
    if not commands:
        return
    txid = await database.transaction_id(connection)  # before the numbers: what is settled is told by it
    numbers = await database.numbers(connection, "change", len(commands))
    for command, number in zip(commands, sorted(numbers), strict=True):
        command.change, command.txid = number, txid


async def newest(database: Database, connection: AsyncConnection, tenant_id: int) -> Position:
    """Where the newest settled change of a tenant is."""
    horizon = await database.settled_before(connection)
    query = select(CommandRow.txid, CommandRow.change).where(
        CommandRow.tenant_id == tenant_id, CommandRow.txid < horizon
    )
    order = CommandRow.txid.desc(), CommandRow.change.desc()
    row = (await connection.execute(query.order_by(*order).limit(1))).first()
    return (0, 0) if row is None else (row[0], row[1])


async def changed(
    database: Database, connection: AsyncConnection, tenant_id: int, position: Position, limit: int
) -> tuple[Sequence[RowMapping], bool]:
    """Id, site and position of the next settled changes behind a position; and whether others wait to settle."""
    horizon = await database.settled_before(connection)
    mine = CommandRow.tenant_id == tenant_id
    query = (
        select(CommandRow.id, CommandRow.txid, CommandRow.change, Site.slug)
        .join(Site, (Site.tenant_id == CommandRow.tenant_id) & (Site.id == CommandRow.site_id))
        .where(mine, tuple_(CommandRow.txid, CommandRow.change) > tuple_(*position), CommandRow.txid < horizon)
        .order_by(CommandRow.txid, CommandRow.change)
        .limit(limit)
    )
    rows = (await connection.execute(query)).mappings().all()
    waiting = select(CommandRow.change).where(mine, CommandRow.txid >= horizon).limit(1)
    return rows, (await connection.execute(waiting)).first() is not None
