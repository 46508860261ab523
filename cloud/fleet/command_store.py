"""The only SQL for commands, the vends among them, and the requests that made them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, RowMapping, bindparam, delete, insert, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from cloud.accounts.member import Member
from cloud.db.models import CommandRow, Epoch, Idempotency, Site, Stream, TransactionRow
from cloud.fleet import state_store
from cloud.fleet.command_model import Command, Vend
from edge.wire.commands import ENDED, State

IDS = 500  # in one statement
FEW = 8  # sites that are looked through each; what is of more lies close together
COME_BY = ("user", "key", "login", "page", "schedule", "device")  # what stands before the name of an actor
_FIELDS = {kind: tuple(kind.__struct_fields__) for kind in (Command, Vend)}
_TABLES: dict[type[Command | Vend], type[CommandRow | TransactionRow]] = {Command: CommandRow, Vend: TransactionRow}
_COMMAND = tuple(getattr(CommandRow, name) for name in _FIELDS[Command])
_VEND = tuple(getattr(TransactionRow, name) for name in _FIELDS[Vend])
_KEY = ("tenant_id", "site_id", "id")


async def one(connection: AsyncConnection, member: Member, command_id: str, site: str = "") -> list[RowMapping]:
    """The command of this id at each site the caller reaches; an id is of one site, but for a hub that lies."""
    query = select(*_COMMAND, *_site()).join(Site, _is_of(CommandRow)).where(CommandRow.id == command_id)
    query = query.where(CommandRow.tenant_id == member.tenant_id, *state_store.reached(member, site)).limit(2)
    return list((await connection.execute(query)).mappings())


async def by_id(
    connection: AsyncConnection, member: Member, ids: Collection[str], site: str
) -> Sequence[RowMapping]:
    """Those of a site with these ids, if the caller reaches it."""
    query = select(*_COMMAND, *_site()).join(Site, _is_of(CommandRow)).where(CommandRow.id.in_(ids))
    query = query.where(CommandRow.tenant_id == member.tenant_id, *state_store.reached(member, site))
    return (await connection.execute(query)).mappings().all()


async def page(
    connection: AsyncConnection,
    member: Member,
    *,
    site_id: int | None = None,
    device: str = "",
    states: Sequence[str] = (),
    kind: str = "",
    who: str = "",
    before: int | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Newest first, those accepted before number `before`; `who`: an actor, with what he came by or without."""
    rules = [CommandRow.tenant_id == member.tenant_id, *state_store.reached(member)]
    if before is not None:
        rules.append(CommandRow.number < before)
    sites = [site_id] if site_id is not None else await _sites(connection, member)
    actors = await _actors(connection, member, who) if who else []
    if who and not actors:
        return []
    if set(states) >= ENDED:  # nearly all have ended: those that have not are passed over
        rules.append(CommandRow.state.not_in(sorted(set(State) - set(states))))
        states = ()
    found: list[RowMapping] = []
    for part in _parts(connection, rules, sites=sites, device=device, states=states, actors=actors, kind=kind):
        query = select(*_COMMAND, *_site()).join(Site, _is_of(CommandRow)).where(*part)
        found += (await connection.execute(query.order_by(CommandRow.number.desc()).limit(limit))).mappings()
    return sorted(found, key=lambda row: -row["number"])[:limit]


async def commands(
    connection: AsyncConnection, tenant_id: int, site_id: int, ids: Sequence[str]
) -> dict[str, Command]:
    """Those of these ids that are known, which nobody else changes until this transaction ends."""
    return {row["id"]: command(row) for row in await _known(connection, Command, tenant_id, site_id, ids)}


async def vends(connection: AsyncConnection, tenant_id: int, site_id: int, ids: Sequence[str]) -> dict[str, Vend]:
    """The vends of these ids, likewise."""
    rows = await _known(connection, Vend, tenant_id, site_id, ids)
    return {row["id"]: Vend(**{name: row[name] for name in _FIELDS[Vend]}) for row in rows}


async def add(connection: AsyncConnection, things: Sequence[Command | Vend]) -> None:
    """Insert new ones, all of one sort."""
    if things:
        rows = [msgspec.structs.asdict(thing) for thing in things]
        await connection.execute(insert(_TABLES[type(things[0])]), rows)


async def save(connection: AsyncConnection, things: Sequence[Command | Vend]) -> None:
    """Write down how known ones are now, all of one sort."""
    if not things:
        return
    table = _TABLES[type(things[0])]
    fields = [name for name in _FIELDS[type(things[0])] if name not in _KEY]
    statement = (
        update(table)
        .where(*(getattr(table, name) == bindparam(f"b_{name}") for name in _KEY))
        .values({name: bindparam(f"b_{name}") for name in fields})
    )
    rows = [{f"b_{name}": value for name, value in msgspec.structs.asdict(thing).items()} for thing in things]
    await connection.execute(statement, rows)


async def forgotten(
    connection: AsyncConnection, tenant_id: int, site_id: int, *, base: int, epoch: int
) -> list[Command]:
    """Open commands that a hub, whose facts go on behind `base` in this new epoch, no longer knows of."""
    query = (
        select(*_COMMAND)
        .where(
            CommandRow.tenant_id == tenant_id,
            CommandRow.site_id == site_id,
            CommandRow.state.in_(("queued", "sent")),
            CommandRow.first_seq > base,
            CommandRow.first_epoch < epoch,
        )
        .order_by(CommandRow.id)
        .with_for_update()
    )
    return [command(row) for row in (await connection.execute(query)).mappings()]


async def ledger_epoch(connection: AsyncConnection, tenant_id: int, site_id: int) -> int:
    """The number of the epoch that a site's ledger is in."""
    query = select(Stream.epoch_no).where(
        Stream.tenant_id == tenant_id, Stream.site_id == site_id, Stream.stream == "ledger"
    )
    return int((await connection.execute(query)).scalar() or 0)


async def epoch_begin(
    connection: AsyncConnection, tenant_id: int, site_id: int, epoch: str
) -> tuple[int, int] | None:
    """The number of a ledger epoch, and the row it begins behind."""
    query = select(Epoch.epoch_no, Epoch.base).where(
        Epoch.tenant_id == tenant_id, Epoch.site_id == site_id, Epoch.stream == "ledger", Epoch.epoch == epoch
    )
    row = (await connection.execute(query)).first()
    return (int(row[0]), int(row[1])) if row else None


async def remembered(connection: AsyncConnection, member: Member, key: str) -> RowMapping | None:
    """The body hash, site and command of an earlier request with this key."""
    query = select(Idempotency.body_hash, Idempotency.site_id, Idempotency.command_id).where(
        Idempotency.tenant_id == member.tenant_id, Idempotency.actor == member.actor, Idempotency.key == key
    )
    return (await connection.execute(query)).mappings().first()


async def remember(connection: AsyncConnection, **values: object) -> None:
    """Keep which command a request with a key made."""
    await connection.execute(insert(Idempotency).values(**values))


async def forget_requests(connection: AsyncConnection, before_us: int) -> None:
    """Let go of keys older than that."""
    await connection.execute(delete(Idempotency).where(Idempotency.at_us < before_us))


def command(row: Mapping[str, Any] | RowMapping) -> Command:
    """A command from a row that has its columns."""
    return Command(**{name: row[name] for name in _FIELDS[Command]})


async def _known(
    connection: AsyncConnection, kind: type[Command | Vend], tenant_id: int, site_id: int, ids: Sequence[str]
) -> list[RowMapping]:
    table = _TABLES[kind]
    columns = _COMMAND if kind is Command else _VEND
    found: list[RowMapping] = []
    for at in range(0, len(ids), IDS):
        query = select(*columns).where(
            table.tenant_id == tenant_id, table.site_id == site_id, table.id.in_(ids[at : at + IDS])
        )
        found += (await connection.execute(query.order_by(table.id).with_for_update())).mappings().all()
    return found


def _parts(
    connection: AsyncConnection,
    rules: list[ColumnElement[bool]],
    *,
    sites: Sequence[int],
    device: str,
    states: Sequence[str],
    actors: Sequence[str],
    kind: str,
) -> list[list[ColumnElement[bool]]]:
    """What is asked for, in parts of one site, state and actor, each of which an index has in order.

    SQLite counts no rows, and would as soon look through all that somebody asked for as through the few of a
    device: so it is left the index of the first value alone, of those given the one that fewest commands share.
    """
    rare = () if State.SUCCEEDED in states else states
    given: list[tuple[InstrumentedAttribute[Any], Sequence[object]]] = [
        (CommandRow.site_id, sites),
        (CommandRow.device, [device] if device else ()),
        (CommandRow.state, rare),
        (CommandRow.actor, actors),
        (CommandRow.kind, [kind] if kind else ()),
        (CommandRow.state, () if rare else states),
    ]
    parts = [rules]
    for place, (column, values) in enumerate([each for each in given if each[1]]):
        first = place == 0 or column is CommandRow.device  # a site's device has an index too
        looked_at = column if first or connection.dialect.name != "sqlite" else column.concat("")  # of no index
        parts = [[*part, looked_at == value] for part in parts for value in values]
    return parts


async def _sites(connection: AsyncConnection, member: Member) -> Sequence[int]:
    """The numbers of the sites a caller reaches; none where they are all, or too many to be looked through each."""
    if not 0 < len(member.sites) <= FEW:
        return []
    return (await connection.execute(select(Site.id).where(*state_store.reached(member)))).scalars().all()


async def _actors(connection: AsyncConnection, member: Member, who: str) -> Sequence[str]:
    """Those of this name who have asked for anything."""
    mine = select(CommandRow.actor).where(CommandRow.tenant_id == member.tenant_id)
    named = (mine.where(CommandRow.actor == each).limit(1).subquery() for each in _called(who))
    return (await connection.execute(union_all(*(select(each) for each in named)))).scalars().all()


def _called(who: str) -> list[str]:
    return [who, *(f"{how}:{who}" for how in COME_BY)]


def _site() -> Sequence[Any]:
    """Its site's columns, but the id, which the command has."""
    return [column for column in state_store.SITE if column.key != "site_id"]


def _is_of(table: type[CommandRow]) -> ColumnElement[bool]:
    return (Site.tenant_id == table.tenant_id) & (Site.id == table.site_id)
