"""What becomes of an item in a site's inbox becomes of the command it is, as long as no hub has told of that."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.db.database import Database
from cloud.fleet import command_changes_store as changes
from cloud.fleet import command_store as sql
from cloud.fleet.command_model import CENTRE, HANDED, SITE, Command
from cloud.sync.inbox import Step, Told
from edge.wire.commands import ENDED, State


async def follow_items(database: Database, connection: AsyncConnection, told: Sequence[Told]) -> None:
    """A Follower of the inbox, once it is given the database."""
    by_site: dict[tuple[int, int], dict[str, Told]] = {}
    for step in told:
        if step.kind == "command":
            by_site.setdefault((step.tenant_id, step.site_id), {})[step.id] = step
    for key, steps in by_site.items():
        ids = sorted(steps)
        commands = await sql.commands(connection, *key, ids)
        changed = [command for command in commands.values() if _take_over(command, steps[command.id])]
        await changes.note(connection, database, changed)
        await sql.save(connection, changed)
        ended = {command.id: command for command in changed if command.state != State.QUEUED}
        if any(command.kind == "vend" for command in ended.values()):
            vends = await sql.vends(connection, *key, sorted(ended))
            for vend in vends.values():
                command = ended[vend.id]
                vend.state, vend.reason, vend.ended_us = command.state, command.reason, command.ended_us
            await sql.save(connection, list(vends.values()))


_ENDS = {
    Step.EXPIRED: State.EXPIRED,
    Step.CANCELLED: State.CANCELLED,
    Step.LOST: State.IN_DOUBT,
    Step.REFUSED: State.FAILED,
}


def _take_over(command: Command, told: Told) -> bool:
    """Take a step of its item over; False where its hub's own facts, or its end, say more."""
    if command.fact_seq or command.state not in (State.QUEUED, State.IN_DOUBT):
        return False
    if told.step is Step.APPLIED:
        return False  # the hub's fact of the command itself is there with it
    if told.step is Step.HANDED:
        moved = command.place == CENTRE and command.state == State.QUEUED
        command.place = HANDED if moved else command.place
        return moved
    state = State.EXPIRED if told.code == "expired" else _ENDS[told.step]
    command.state, command.reason = state.value, told.detail
    command.ended_us = told.at_us if state in ENDED else None
    command.place = SITE if told.step is Step.REFUSED else CENTRE
    return True


def told_of(command: Command, step: Step, at_us: int, detail: str) -> Told:
    """A step of a command's item that is taken here."""
    return Told(
        tenant_id=command.tenant_id,
        site_id=command.site_id,
        id=command.id,
        kind="command",
        step=step,
        at_us=at_us,
        detail=detail,
    )
