"""The only SQL for commands and their attempts.

Every change of state is a compare-and-set and writes its fact in the same transaction. A command that ends loses
its arguments: pictures, names and amounts are kept no longer than they are needed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from edge.clock import Quality
from edge.commands.model import Command, advance, kind_of
from edge.errors import Conflict
from edge.store.boots import unset
from edge.store.transaction import Row, Transaction, Value
from edge.wire.commands import ENDED, State

COLUMNS = (
    "number, id, device_id, kind, state, args, session_id, agent, actor, seq, attempts, created_us, quality,"
    " boot_id, expires_ms, expires_us, ended_us, reason, resolved_by, duration_s, ended_clock"
)
OPEN_COMMANDS = "commands INDEXED BY commands_open"  # SQLite would choose the index that holds all history
SELECT_BY_ID = f"SELECT {COLUMNS} FROM commands WHERE id = ?"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def insert(tx: Transaction, command: Command, args: str, args_hash: bytes) -> Command | None:
    """Accept a command; returns it with its number, None where its device is not approved."""
    cursor = tx.execute(
        "INSERT INTO commands(id, device_id, kind, state, args, args_hash, session_id, agent, actor, created_us,"
        " quality, boot_id, expires_ms, expires_us)"
        " SELECT ?,id,?,?,?,?,?,?,?,?,?,?,?,? FROM devices WHERE id = ? AND state = 'approved'",
        (
            command.id,
            command.kind,
            command.state.value,
            args,
            args_hash,
            command.session_id,
            command.agent,
            command.actor,
            command.created_us,
            command.quality.value,
            command.boot_id,
            command.expires_ms,
            command.expires_us,
            command.device_id,
        ),
    )
    if cursor.rowcount == 0:
        return None
    tx.fact(
        "command.queued",
        command.id,
        device=command.device_id,
        kind=command.kind,
        actor=command.actor,
        args_hash=args_hash.hex(),
        ttl_ms=(command.expires_us - command.created_us) // 1000,
        **({"agent": command.agent} if command.agent else {}),
    )
    return msgspec.structs.replace(command, number=cursor.lastrowid)


def supersede(tx: Transaction, by: Command, kinds: frozenset[str]) -> list[Command]:
    """End the undelivered commands that `by` replaces."""
    advance(State.QUEUED, State.SUPERSEDED)
    marks = ",".join("?" * len(kinds))
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM {OPEN_COMMANDS} WHERE device_id = ? AND ended_us IS NULL AND state = 'queued'"
        f" AND number < ? AND kind IN ({marks})",
        (by.device_id, by.number, *sorted(kinds)),
    )
    return [_superseded(tx, command(row), f"Replaced by {by.id}.") for row in rows]


def _superseded(tx: Transaction, before: Command, reason: str) -> Command:
    """As `change` does it, by a plain UPDATE: on the way of every picture, and RETURNING costs as much again."""
    ended_us, ended_clock = tx.stamp.at_us, unset(tx.stamp)
    tx.execute(
        "UPDATE commands SET state = 'superseded', reason = ?, ended_us = ?, ended_clock = ?, args = NULL"
        " WHERE number = ?",
        (reason, ended_us, ended_clock, before.number),
    )
    tx.fact("command.superseded", before.id, device=before.device_id, reason=reason)
    return msgspec.structs.replace(
        before, state=State.SUPERSEDED, reason=reason, ended_us=ended_us, ended_clock=ended_clock, args=None
    )


def begin(tx: Transaction, before: Command, link: str) -> Command:
    """Commit the intent to send, with the device's number for it, before the first byte leaves. Raises Conflict."""
    advance(before.state, State.SENT)
    seq = before.seq
    if seq is None:
        row = tx.one(
            "UPDATE devices SET last_seq = last_seq + 1 WHERE id = ? RETURNING last_seq", (before.device_id,)
        )
        assert row is not None
        seq = int(row[0])
    after = _one(
        tx,
        "UPDATE commands SET state = 'sent', seq = ?, attempts = attempts + 1, reason = ''"
        f" WHERE id = ? AND state = 'queued' RETURNING {COLUMNS}",
        (seq, before.id),
    )
    tx.execute(
        "INSERT INTO command_attempts(command_id, attempt, link, at_us, clock) VALUES (?,?,?,?,?)",
        (after.id, after.attempts, link, tx.stamp.at_us, unset(tx.stamp)),
    )
    tx.fact("command.sent", after.id, device=after.device_id, seq=seq, attempt=after.attempts, link=link)
    return after


def end_attempt(tx: Transaction, before: Command, verdict: str, reason: str, duration_s: float | None) -> None:
    """Write down what the attempt under way came to."""
    tx.execute(
        "UPDATE command_attempts SET verdict = ?, reason = ?, duration_s = ? WHERE command_id = ? AND attempt = ?",
        (verdict, reason, duration_s, before.id, before.attempts),
    )


def forget_number(tx: Transaction, before: Command) -> None:
    """Let the next attempt get a new number: the device cannot say what became of this one."""
    tx.execute("UPDATE commands SET seq = NULL WHERE id = ?", (before.id,))


def change(
    tx: Transaction,
    before: Command,
    to: State,
    reason: str,
    *,
    resolved_by: str = "",
    duration_s: float | None = None,
) -> Command:
    """Move a command from the state `before` has to `to`. Raises Conflict when either is not so."""
    advance(before.state, to)
    ended = to in ENDED
    after = _one(
        tx,
        "UPDATE commands SET state = ?, reason = ?, resolved_by = ?, duration_s = COALESCE(?, duration_s),"
        " ended_us = ?, ended_clock = ?, args = CASE WHEN ? THEN NULL ELSE args END"
        f" WHERE id = ? AND state = ? RETURNING {COLUMNS}",
        (
            to.value,
            reason,
            resolved_by,
            duration_s,
            tx.stamp.at_us if ended else None,
            unset(tx.stamp) if ended else None,
            ended,
            before.id,
            before.state.value,
        ),
    )
    body: dict[str, object] = {"device": after.device_id, "reason": reason}
    if resolved_by:
        body["by"] = resolved_by
    if duration_s is not None:
        body["duration_s"] = round(duration_s, 3)
    tx.fact(f"command.{to.value}", after.id, **body)
    return after


def take_back(tx: Transaction, before: Command, to: State, reason: str) -> Command:
    """End what waits as `to`, or in doubt when an earlier attempt may have reached the device. Raises Conflict."""
    if before.state is State.QUEUED and tx.one(REACHED, (before.id,)):
        return change(tx, before, State.IN_DOUBT, f"{reason} An earlier attempt may have done it.")
    return change(tx, before, to, reason)


def load_open(tx: Transaction) -> list[Command]:
    """Every command that has not ended, in order of acceptance; those in doubt too."""
    return [
        command(row) for row in tx.rows(f"SELECT {COLUMNS} FROM commands WHERE ended_us IS NULL ORDER BY number")
    ]


WAS_RESTORED = "SELECT 1 FROM meta WHERE key = 'restored'"


def doubt_older(tx: Transaction, among: Collection[str], reason: str) -> list[Command]:
    """In a file put back from a backup: what waits in it of these, and must not be done twice, is in doubt."""
    tx.execute("DELETE FROM meta WHERE key = 'restored'")
    waiting = [one for one in load_open(tx) if one.state is State.QUEUED and one.id in among]
    return [change(tx, one, State.IN_DOUBT, reason) for one in waiting if not kind_of(one.kind).repeatable]


def by_id(tx: Transaction, command_id: str) -> Command | None:
    """One command."""
    row = tx.one(SELECT_BY_ID, (command_id,))
    return command(row) if row else None


def remembered(tx: Transaction, actor: str, key: str) -> tuple[bytes, str] | None:
    """The body hash and command of an earlier request with this idempotency key."""
    row = tx.one("SELECT body_hash, command_id FROM idempotency WHERE actor = ? AND key = ?", (actor, key))
    return (row[0], row[1]) if row else None


def remember(tx: Transaction, actor: str, key: str, body_hash: bytes, command_id: str) -> None:
    """Keep the answer to a request with an idempotency key."""
    tx.execute(
        "INSERT INTO idempotency(actor, key, body_hash, command_id, at_us) VALUES (?,?,?,?,?)",
        (actor, key, body_hash, command_id, tx.stamp.at_us),
    )


def prune(tx: Transaction, before_us: int, in_doubt_args_before_us: int, rows: int) -> int:
    """Forget ended commands older than `before_us`, a bounded number at a time, and the arguments of old doubts.

    One that ended by a clock that nothing had set is as old as those that came after it. An answer to a repeated
    request is kept as long as its command.
    """
    tx.execute(
        "UPDATE commands SET args = NULL WHERE state = 'in_doubt' AND args IS NOT NULL AND created_us < ?",
        (in_doubt_args_before_us,),
    )
    gone = tx.execute(
        "DELETE FROM commands WHERE number IN (SELECT number FROM commands WHERE ended_us < ?1 AND"
        " (ended_clock IS NULL OR number <"
        "  (SELECT MAX(number) FROM commands WHERE ended_us < ?1 AND ended_clock IS NULL)) LIMIT ?2)",
        (before_us, rows),
    ).rowcount
    tx.execute(
        "DELETE FROM idempotency WHERE at_us < ? AND NOT EXISTS (SELECT 1 FROM commands WHERE id = command_id)",
        (before_us,),
    )
    return gone


def command(row: Any) -> Command:
    """A command from a row of COLUMNS."""
    (
        number,
        id_,
        device_id,
        kind,
        state,
        args,
        session_id,
        agent,
        actor,
        seq,
        attempts,
        created_us,
        quality,
        *rest,
    ) = row
    boot_id, expires_ms, expires_us, ended_us, reason, resolved_by, duration_s, ended_clock = rest
    return Command(
        number=number,
        id=id_,
        device_id=device_id,
        kind=kind,
        state=State(state),
        args=None if args is None else _decode(args),
        session_id=session_id,
        agent=agent,
        actor=actor,
        seq=seq,
        attempts=attempts,
        created_us=created_us,
        quality=Quality(quality),
        boot_id=boot_id,
        expires_ms=expires_ms,
        expires_us=expires_us,
        ended_us=ended_us,
        reason=reason,
        resolved_by=resolved_by,
        duration_s=duration_s,
        ended_clock=ended_clock,
    )


def _one(tx: Transaction, sql: str, values: tuple[Value, ...]) -> Command:
    row: Row | None = tx.one(sql, values)
    if row is None:
        raise Conflict("The command has changed meanwhile.", hint="Look at it again.")
    return command(row)


REACHED = "SELECT 1 FROM command_attempts WHERE command_id = ? AND verdict <> 'not_sent' LIMIT 1"

ATTEMPTS = (
    "SELECT attempt, link, at_us, verdict, reason, duration_s, clock FROM command_attempts WHERE command_id = ?"
    " ORDER BY attempt"
)

# The last thing each display is known to have done to its screen.
LAST_SHOWN = (
    f"SELECT {COLUMNS} FROM commands WHERE number IN (SELECT MAX(number) FROM commands"
    " WHERE state = 'succeeded' AND kind IN ('display_qr', 'start_rotation') GROUP BY device_id)"
)

# What was shown is counted from the commands themselves, so the count can never drift from what happened.
SHOWN = (
    "SELECT device_id, SUM(ended_us >= ?), COUNT(*) FROM commands"
    " WHERE kind = 'display_qr' AND state = 'succeeded' GROUP BY device_id"
)


def page_query(
    device_id: str, states: Sequence[str], before: int | None, limit: int
) -> tuple[str, tuple[str | int, ...]]:
    """The SELECT of a page of commands, newest first, and its values."""
    terms: list[str] = []
    values: list[str | int] = []
    if device_id:
        terms.append("device_id = ?")
        values.append(device_id)
    if states:
        terms.append(f"state IN ({','.join('?' * len(states))})")
        values += states
        if not set(states) & {state.value for state in ENDED}:
            terms.append("ended_us IS NULL")
    if before is not None:
        terms.append("number < ?")
        values.append(before)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    return f"SELECT {COLUMNS} FROM commands{where} ORDER BY number DESC LIMIT ?", (*values, limit)


def cancel_session(tx: Transaction, session_id: int, why: str) -> list[Command]:
    """Cancel what is queued for an agent's session; what is under way or was cannot be called back."""
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM commands WHERE session_id = ? AND ended_us IS NULL AND state = 'queued'",
        (session_id,),
    )
    return [take_back(tx, command(row), State.CANCELLED, why) for row in rows]
