"""The only SQL for workstations, sessions and claims. An open session is one without an end."""

from __future__ import annotations

from edge.devices.agents.events import AgentLeft, AgentSeated, ClaimMade, ClaimSettled, WorkstationBound
from edge.devices.agents.model import CLAIMS, Claim, Departure, End, How, Refused, Session
from edge.store.transaction import Row, Transaction

_SESSION = "id, agent_id, agent_name, device_id, how, started_us, active_us, yields"
_CLAIM = "agent_id, agent_name, device_id, computer_name, why, asked_us, count"


def open_sessions(tx: Transaction) -> list[Session]:
    """Every open session."""
    return [_session(row) for row in tx.rows(f"SELECT {_SESSION} FROM agent_sessions WHERE ended_us IS NULL")]


def is_open(tx: Transaction, session_id: int, device_id: str) -> bool:
    """Whether this very session is still the one at this display, by the database itself."""
    return (
        tx.one(
            "SELECT 1 FROM agent_sessions WHERE id = ? AND device_id = ? AND ended_us IS NULL",
            (session_id, device_id),
        )
        is not None
    )


def open_at(tx: Transaction, device_id: str) -> Session | None:
    """The open session at a display."""
    return _open(tx, "device_id", device_id)


def open_of(tx: Transaction, agent: str) -> Session | None:
    """The agent's open session."""
    return _open(tx, "agent_id", agent)


def last_departures(tx: Transaction, since_us: int) -> list[Departure]:
    """Per agent without a session: how the last one ended, if after `since_us`."""
    rows = tx.rows(
        f"SELECT {_SESSION}, ended_why, ended_by, ended_us FROM agent_sessions"
        " WHERE id IN (SELECT MAX(id) FROM agent_sessions GROUP BY agent_id) AND ended_us > ? ORDER BY ended_us",
        (since_us,),
    )
    return [Departure(session=_session(row), why=End(row[8]), by=row[9], at_us=row[10]) for row in rows]


def begin(tx: Transaction, agent: str, name: str, device_id: str, how: How) -> Session:
    """Open a session where both the agent and the display are free."""
    row = tx.one(
        "INSERT INTO agent_sessions(agent_id, agent_name, device_id, how, started_us, active_us)"
        f" VALUES (?1, ?2, ?3, ?4, ?5, ?5) RETURNING {_SESSION}",
        (agent, name, device_id, how.value, tx.stamp.at_us),
    )
    assert row is not None
    session = _session(row)
    tx.fact("agent.linked", device_id, agent=agent, session=session.id, how=how.value)
    tx.tell(AgentSeated(device_id=device_id, agent=agent, session_id=session.id, how=how.value))
    return session


def end(tx: Transaction, session: Session, why: End, by: str) -> Departure | None:
    """End a session; None when it has ended already."""
    done = tx.one(
        "UPDATE agent_sessions SET ended_us = ?, ended_why = ?, ended_by = ?"
        " WHERE id = ? AND ended_us IS NULL RETURNING 1",
        (tx.stamp.at_us, why.value, by, session.id),
    )
    if done is None:
        return None
    tx.fact("agent.unlinked", session.device_id, agent=session.agent, session=session.id, why=why.value, by=by)
    tx.tell(
        AgentLeft(device_id=session.device_id, agent=session.agent, session_id=session.id, why=why.value, by=by)
    )
    return Departure(session=session, why=why, by=by, at_us=tx.stamp.at_us)


def note_active(tx: Transaction, session: Session, name: str) -> Session | None:
    """Renew a session's lease and take its yielding back; None when it has ended."""
    row = tx.one(
        "UPDATE agent_sessions SET active_us = ?, agent_name = ?, yields = 0"
        f" WHERE id = ? AND ended_us IS NULL RETURNING {_SESSION}",
        (tx.stamp.at_us, name, session.id),
    )
    return _session(row) if row else None


def yield_desk(tx: Transaction, device_id: str) -> Session | None:
    """Mark the display's open session as yielding; None when there is none."""
    row = tx.one(
        f"UPDATE agent_sessions SET yields = 1 WHERE device_id = ? AND ended_us IS NULL RETURNING {_SESSION}",
        (device_id,),
    )
    if row is None:
        return None
    session = _session(row)
    tx.fact("agent.yields", device_id, agent=session.agent, session=session.id)
    return session


def is_display(tx: Transaction, device_id: str) -> bool:
    """Whether this is an approved display."""
    sql = "SELECT 1 FROM devices WHERE id = ? AND state = 'approved' AND kind = 'display'"
    return tx.one(sql, (device_id,)) is not None


def bound_displays(tx: Transaction, computer: str) -> list[str]:
    """The approved displays bound to a computer (its computer_key); more than one means that none can be meant."""
    sql = (
        "SELECT w.device_id FROM workstations w JOIN devices d ON d.id = w.device_id"
        " WHERE w.computer_key = ? AND d.state = 'approved' AND d.kind = 'display' LIMIT 2"
    )
    return [row[0] for row in tx.rows(sql, (computer,))]


def workstations(tx: Transaction) -> list[tuple[str, str]]:
    """Every (computer name, display) pair."""
    return [(row[0], row[1]) for row in tx.rows("SELECT computer_name, device_id FROM workstations ORDER BY 1, 2")]


def bind(tx: Transaction, key: str, name: str, device_id: str, actor: str) -> None:
    """Bind a computer to a display."""
    tx.execute(
        "INSERT OR REPLACE INTO workstations(computer_key, device_id, computer_name, bound_us, bound_by)"
        " VALUES (?, ?, ?, ?, ?)",
        (key, device_id, name, tx.stamp.at_us, actor),
    )
    tx.fact("workstation.bound", device_id, computer_name=name, by=actor)
    tx.tell(WorkstationBound(device_id=device_id, computer_name=name, bound=True))


def unbind(tx: Transaction, key: str, device_id: str, actor: str) -> bool:
    """Undo `bind`; False when it was not bound."""
    sql = "DELETE FROM workstations WHERE computer_key = ? AND device_id = ? RETURNING computer_name"
    row = tx.one(sql, (key, device_id))
    if row is None:
        return False
    tx.fact("workstation.unbound", device_id, computer_name=row[0], by=actor)
    tx.tell(WorkstationBound(device_id=device_id, computer_name=row[0], bound=False))
    return True


def claim(tx: Transaction, agent: str, name: str, computer_name: str, refused: Refused) -> int:
    """Keep what a refused agent asked for, one claim each; returns how many older ones had to go."""
    row = tx.one(
        f"INSERT INTO agent_claims({_CLAIM}) VALUES (?, ?, ?, ?, ?, ?, 1)"
        " ON CONFLICT(agent_id) DO UPDATE SET agent_name=excluded.agent_name, device_id=excluded.device_id,"
        " computer_name=excluded.computer_name, why=excluded.why, asked_us=excluded.asked_us, count=count+1"
        " RETURNING count",
        (agent, name, refused.device_id, computer_name, refused.why.value, tx.stamp.at_us),
    )
    tx.tell(ClaimMade(agent=agent))
    if row is None or row[0] > 1:
        return 0
    tx.fact("agent.claimed", refused.device_id, agent=agent, why=refused.why.value, computer_name=computer_name)
    shed = tx.rows(
        "DELETE FROM agent_claims WHERE agent_id IN"
        " (SELECT agent_id FROM agent_claims ORDER BY asked_us DESC, agent_id LIMIT -1 OFFSET ?) RETURNING 1",
        (CLAIMS,),
    )
    return len(shed)


def dismiss_claim(tx: Transaction, agent: str, actor: str) -> bool:
    """Drop the agent's claim because a technician says so; False when there is none."""
    done = settle_claim(tx, agent)
    if done:
        tx.fact("agent.claim_dismissed", "", agent=agent, by=actor)
    return done


def settle_claim(tx: Transaction, agent: str) -> bool:
    """Drop the agent's claim; False when there is none."""
    done = tx.one("DELETE FROM agent_claims WHERE agent_id = ? RETURNING 1", (agent,)) is not None
    if done:
        tx.tell(ClaimSettled(agent=agent))
    return done


def claims(tx: Transaction) -> list[Claim]:
    """Every claim, the newest first."""
    rows = tx.rows(f"SELECT {_CLAIM} FROM agent_claims ORDER BY asked_us DESC, agent_id")
    return [
        Claim(
            agent=row[0],
            name=row[1],
            device_id=row[2],
            computer_name=row[3],
            why=row[4],
            asked_us=row[5],
            count=row[6],
        )
        for row in rows
    ]


def _open(tx: Transaction, column: str, value: str) -> Session | None:
    sql = f"SELECT {_SESSION} FROM agent_sessions WHERE {column} = ? AND ended_us IS NULL"
    row = tx.one(sql, (value,))
    return _session(row) if row else None


def _session(row: Row) -> Session:
    return Session(
        id=row[0],
        agent=row[1],
        name=row[2],
        device_id=row[3],
        how=row[4],
        started_us=row[5],
        active_us=row[6],
        yields=bool(row[7]),
    )
