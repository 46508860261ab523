"""The only SQL that stores the facts of sites' ledgers and finds them by number and hash."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.db.models import FactRow
from cloud.sites.gate import HubCaller
from cloud.sync.changed_by import actor_of
from edge.wire.ledger import Fact
from edge.wire.sync import NAME_CHARS

DEVICE_KINDS = frozenset({"device", "slot", "agent", "twin", "workstation", "schedule"})
"""What stands before the dot of facts whose subject is a device."""


class Kept(msgspec.Struct, frozen=True):
    """A fact as it is here; of a `skipped` one only number and hash are known."""

    seq: int
    hash: bytes
    fact: Fact | None


async def known(connection: AsyncConnection, site: HubCaller, first: int, last: int) -> set[tuple[int, bytes]]:
    """Number and hash of all that is here from `first` to `last`, of whatever epoch."""
    query = select(FactRow.seq, FactRow.hash).where(
        _of(site.tenant_id, site.site_id), FactRow.seq.between(first, last)
    )
    return {(row.seq, row.hash) for row in await connection.execute(query)}


async def same(
    connection: AsyncConnection, site: HubCaller, points: Collection[tuple[int, bytes]]
) -> set[tuple[int, bytes]]:
    """Those of these numbers and hashes that are here."""
    if not points:
        return set()
    query = select(FactRow.seq, FactRow.hash).where(
        _of(site.tenant_id, site.site_id), FactRow.seq.in_(sorted({seq for seq, _ in points}))
    )
    return {(row.seq, row.hash) for row in await connection.execute(query)}.intersection(points)


async def store(
    connection: AsyncConnection,
    database: Database,
    site: HubCaller,
    epoch_no: int,
    rows: Sequence[Kept],
    received_us: int,
) -> None:
    """Insert facts that are known not to be here, in order; each gets a number of arrival."""
    arrivals = await database.numbers(connection, "arrival", len(rows))
    of_all = {
        "tenant_id": site.tenant_id,
        "site_id": site.site_id,
        "epoch_no": epoch_no,
        "txid": await database.transaction_id(connection),
        "received_us": received_us,
    }
    values = [
        {**of_all, "arrival": arrival, **_columns(row)} for row, arrival in zip(rows, sorted(arrivals), strict=True)
    ]
    await connection.execute(insert(FactRow), values)


async def fill(
    connection: AsyncConnection, database: Database, site: HubCaller, row: Kept, received_us: int
) -> bool:
    """Put a fact where only its number and hash were kept; False when it is there. It arrives now: whoever reads
    facts as they arrive has not seen it yet."""
    (arrival,) = await database.numbers(connection, "arrival", 1)
    txid = await database.transaction_id(connection)
    done = await connection.execute(
        update(FactRow)
        .where(
            _of(site.tenant_id, site.site_id),
            FactRow.seq == row.seq,
            FactRow.hash == row.hash,
            FactRow.skipped.is_(True),
        )
        .values(arrival=arrival, txid=txid, received_us=received_us, **_columns(row))
    )
    return bool(done.rowcount)


async def page(
    connection: AsyncConnection, tenant_id: int, site_id: int, after: tuple[int, bytes], limit: int
) -> list[Kept]:
    """What comes behind this number and hash, by number and then hash, over all epochs."""
    query = (
        select(*(getattr(FactRow, name) for name in Fact.__struct_fields__), FactRow.skipped)
        .where(_of(tenant_id, site_id), tuple_(FactRow.seq, FactRow.hash) > after)
        .order_by(FactRow.seq, FactRow.hash)
        .limit(limit)
    )
    return [
        Kept(row.seq, row.hash, None if row.skipped else Fact(*row[:-1])) for row in await connection.execute(query)
    ]


def _columns(row: Kept) -> dict[str, Any]:
    fact = row.fact or Fact(row.seq, "", "", 0, "", "", 0, "{}", row.hash)
    found = {"device": _device(fact), "actor": actor_of(fact.kind, fact.body)}
    return {**msgspec.structs.asdict(fact), **found, "skipped": row.fact is None}


class _Body(msgspec.Struct):
    device: str = ""


def _device(fact: Fact) -> str:
    """The device a fact is about, '' where it is about none."""
    if fact.kind.partition(".")[0] in DEVICE_KINDS:
        return fact.subject
    try:
        device = msgspec.json.decode(fact.body, type=_Body).device
    except (msgspec.DecodeError, RecursionError):
        return ""
    return device if len(device) <= NAME_CHARS and "\0" not in device else ""


def _of(tenant_id: int, site_id: int) -> ColumnElement[bool]:
    return and_(FactRow.tenant_id == tenant_id, FactRow.site_id == site_id)
