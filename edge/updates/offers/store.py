"""The only SQL for rollouts as devices meet them: what each is offered, what it runs, what it is held off from."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edge.store.boots import unset
from edge.store.transaction import Row, Transaction
from edge.updates.offers.model import Firmware, Rollout, Target
from edge.wire.native import Running
from edge.wire.updates import Plan, RolloutState, Step
from edge.wire.updates import Target as Whom

_json = msgspec.json.Encoder(order="sorted").encode

ROLLOUT = (
    "number, id, name, artifact, firmware, whom, plan, state, reason, stopped, origin, created_us, created_clock,"
    " created_by, starts_us, started_us, ended_us, until_us, until_s, until_boot, halted"
)
TARGET = (
    "rollout, device_id, artifact, wave, step, attempt, tries, done, size, reason, changed_us, changed_clock,"
    " deadline_s, left_s, again_s, settled"
)
_ENDED = "'confirmed','already','failed','rejected','rolled-back','timed-out','withdrawn'"
OPEN_STEPS = f"step NOT IN ({_ENDED})"
_WATCHED = "updates_watched_s"
_EPOCH = "updates_epoch"  # in which rollouts were last loaded


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What one device runs, by its own word. `legacy`: an administrator lets it take unsigned images."""

    device: str
    running: Running | None = None
    seen_us: int | None = None
    seen_clock: str | None = None
    legacy: bool = False


class Hold(msgspec.Struct, frozen=True):
    """A device is not offered this artifact again before `until_s`, by the clock of watching."""

    device: str
    artifact: str
    until_s: float


# --- the clock


def save_watched(tx: Transaction, now_s: float) -> None:
    """Keep for how long this hub has watched."""
    tx.execute(
        "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (_WATCHED, repr(now_s)),
    )


def watched(tx: Transaction) -> float:
    """For how long, when that was last kept."""
    row = tx.one("SELECT value FROM meta WHERE key = ?", (_WATCHED,))
    return float(row[0]) if row else 0.0


# --- rollouts


def is_restored(tx: Transaction) -> bool:
    """Whether this file was put in the place of a newer one since rollouts were last looked at; asked once."""
    row = tx.one("SELECT value FROM meta WHERE key = ?", (_EPOCH,))
    now = tx.one("SELECT value FROM meta WHERE key = 'epoch'")
    tx.execute(
        "INSERT INTO meta(key, value) SELECT ?, value FROM meta WHERE key = 'epoch'"
        " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (_EPOCH,),
    )
    return row is not None and now is not None and row[0] != now[0]


def rollout(tx: Transaction, rollout_id: str) -> Rollout | None:
    """One."""
    row = tx.one(f"SELECT {ROLLOUT} FROM rollouts WHERE id = ?", (rollout_id,))
    return rollout_of(row) if row else None


def live_rollouts(tx: Transaction) -> list[Rollout]:
    """Those that are not over, or of which a device has not ended."""
    rows = tx.rows(
        f"SELECT {ROLLOUT} FROM rollouts WHERE state IN ('scheduled','running','paused')"
        f" OR id IN (SELECT rollout FROM device_updates WHERE {OPEN_STEPS}) ORDER BY number"
    )
    return [rollout_of(row) for row in rows]


def save_rollout(tx: Transaction, now: Rollout) -> None:
    """Keep where a rollout stands."""
    tx.execute(
        "UPDATE rollouts SET firmware = ?, state = ?, reason = ?, stopped = ?, started_us = ?, ended_us = ?,"
        " until_us = ?, until_s = ?, until_boot = ?, halted = ? WHERE id = ?",
        (
            _json(now.firmware).decode(),
            now.state.value,
            now.reason,
            int(now.stopped),
            now.started_us,
            now.ended_us,
            now.until_us,
            now.until_s,
            now.until_boot,
            int(now.halted),
            now.id,
        ),
    )


# --- devices of rollouts


def open_targets(tx: Transaction) -> list[Target]:
    """Every one that has not ended."""
    return [target_of(row) for row in tx.rows(f"SELECT {TARGET} FROM device_updates WHERE {OPEN_STEPS}")]


def late_targets(tx: Transaction, now_s: float) -> list[Target]:
    """Those whose time is over."""
    rows = tx.rows(f"SELECT {TARGET} FROM device_updates WHERE {OPEN_STEPS} AND deadline_s <= ?", (now_s,))
    return [target_of(row) for row in rows]


def open_of(tx: Transaction, device_id: str) -> Target | None:
    """What a device shall become, if anything."""
    row = tx.one(f"SELECT {TARGET} FROM device_updates WHERE device_id = ? AND {OPEN_STEPS}", (device_id,))
    return target_of(row) if row else None


def newest_of(tx: Transaction, device_id: str, artifact: str) -> Target | None:
    """How a device last stood with an artifact."""
    row = tx.one(
        f"SELECT {TARGET} FROM device_updates WHERE device_id = ? AND artifact = ? ORDER BY rowid DESC LIMIT 1",
        (device_id, artifact),
    )
    return target_of(row) if row else None


def target(tx: Transaction, rollout_id: str, device_id: str) -> Target | None:
    """One device of one rollout."""
    row = tx.one(
        f"SELECT {TARGET} FROM device_updates WHERE rollout = ? AND device_id = ?", (rollout_id, device_id)
    )
    return target_of(row) if row else None


def insert_target(tx: Transaction, new: Target) -> None:
    """A device of a rollout that begins."""
    marks = ",".join("?" * len(TARGET.split(",")))
    tx.execute(f"INSERT INTO device_updates({TARGET}) VALUES ({marks})", _values(new))


def save_target(tx: Transaction, now: Target) -> None:
    """Keep how far a device is."""
    tx.execute(
        "UPDATE device_updates SET step = ?, attempt = ?, tries = ?, done = ?, size = ?, reason = ?,"
        " changed_us = ?, changed_clock = ?, deadline_s = ?, left_s = ?, again_s = ?, settled = ?"
        " WHERE rollout = ? AND device_id = ?",
        (*_values(now)[4:], now.rollout, now.device),
    )


def save_progress(tx: Transaction, targets: Iterable[Target]) -> None:
    """Keep how many bytes each has, unless it is at another step by now."""
    for now in targets:
        tx.execute(
            "UPDATE device_updates SET done = ?, size = ?, reason = ?"
            " WHERE rollout = ? AND device_id = ? AND step = ? AND attempt = ?",
            (now.done, now.size, now.reason, now.rollout, now.device, now.step.value, now.attempt),
        )


# --- what went wrong before


def hold_off(tx: Transaction, hold: Hold) -> None:
    """Do not offer it again before a while."""
    tx.execute(
        "INSERT INTO firmware_holds(device_id, artifact, until_s) VALUES (?,?,?)"
        " ON CONFLICT(device_id, artifact) DO UPDATE SET until_s = excluded.until_s",
        (hold.device, hold.artifact, hold.until_s),
    )


def lift(tx: Transaction, device_id: str, artifact: str) -> None:
    """It may be offered again."""
    tx.execute("DELETE FROM firmware_holds WHERE device_id = ? AND artifact = ?", (device_id, artifact))


def held_until_s(tx: Transaction, device_id: str, artifact: str, now_s: float) -> float | None:
    """Until when it is not offered again; None when it may be."""
    row = tx.one(
        "SELECT until_s FROM firmware_holds WHERE device_id = ? AND artifact = ? AND until_s > ?",
        (device_id, artifact, now_s),
    )
    return row[0] if row else None


def holds(tx: Transaction, now_s: float) -> list[Hold]:
    """All that are not over; those that are go."""
    tx.execute("DELETE FROM firmware_holds WHERE until_s <= ?", (now_s,))
    return [Hold(*row) for row in tx.rows("SELECT device_id, artifact, until_s FROM firmware_holds")]


# --- what devices run


def known(tx: Transaction) -> list[Known]:
    """Every device that has said what it runs, or that was marked."""
    rows = tx.rows("SELECT device_id, running, seen_us, seen_clock, legacy FROM device_firmware")
    return [
        Known(
            device=row[0],
            running=msgspec.json.decode(row[1], type=Running | None),
            seen_us=row[2],
            seen_clock=row[3],
            legacy=bool(row[4]),
        )
        for row in rows
    ]


def save_running(tx: Transaction, device_id: str, running: Running) -> Known:
    """Keep what it says that it runs."""
    row = tx.one(
        "INSERT INTO device_firmware(device_id, running, seen_us, seen_clock, legacy) VALUES (?,?,?,?,0)"
        " ON CONFLICT(device_id) DO UPDATE SET running = excluded.running, seen_us = excluded.seen_us,"
        " seen_clock = excluded.seen_clock RETURNING seen_us, seen_clock, legacy",
        (device_id, _json(running).decode(), tx.stamp.at_us, unset(tx.stamp)),
    )
    assert row is not None
    return Known(device=device_id, running=running, seen_us=row[0], seen_clock=row[1], legacy=bool(row[2]))


def save_legacy(tx: Transaction, device_id: str, legacy: bool) -> None:
    """Keep whether it may take unsigned images."""
    tx.execute(
        "INSERT INTO device_firmware(device_id, running, legacy) VALUES (?,'null',?)"
        " ON CONFLICT(device_id) DO UPDATE SET legacy = excluded.legacy",
        (device_id, int(legacy)),
    )


def forget(tx: Transaction, device_id: str) -> None:
    """Let go of what is kept of a device beside its past in rollouts."""
    tx.execute("DELETE FROM device_firmware WHERE device_id = ?", (device_id,))
    tx.execute("DELETE FROM firmware_holds WHERE device_id = ?", (device_id,))


# --- rows


def rollout_of(row: Row) -> Rollout:
    """A rollout from a row of ROLLOUT."""
    return Rollout(
        number=row[0],
        id=row[1],
        name=row[2],
        artifact=row[3],
        firmware=msgspec.json.decode(row[4], type=Firmware | None),
        whom=msgspec.json.decode(row[5], type=Whom),
        plan=msgspec.json.decode(row[6], type=Plan),
        state=RolloutState(row[7]),
        reason=row[8],
        stopped=bool(row[9]),
        origin=row[10],
        created_us=row[11],
        created_clock=row[12],
        created_by=row[13],
        starts_us=row[14],
        started_us=row[15],
        ended_us=row[16],
        until_us=row[17],
        until_s=row[18],
        until_boot=row[19],
        halted=bool(row[20]),
    )


def insert_rollout(tx: Transaction, new: Rollout, request: str | None, body_hash: bytes) -> Rollout:
    """A new one, with the request it answers; returns it with its number."""
    row = tx.one(
        "INSERT INTO rollouts(id, name, artifact, firmware, whom, plan, state, reason, stopped, origin, created_us,"
        " created_clock, created_by, starts_us, started_us, ended_us, until_us, until_s, until_boot, halted,"
        " request, body_hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING number",
        (
            new.id,
            new.name,
            new.artifact,
            _json(new.firmware).decode(),
            _json(new.whom).decode(),
            _json(new.plan).decode(),
            new.state.value,
            new.reason,
            int(new.stopped),
            new.origin,
            new.created_us,
            new.created_clock,
            new.created_by,
            new.starts_us,
            new.started_us,
            new.ended_us,
            new.until_us,
            new.until_s,
            new.until_boot,
            int(new.halted),
            request,
            body_hash,
        ),
    )
    assert row is not None
    return msgspec.structs.replace(new, number=row[0])


def target_of(row: Row) -> Target:
    """A device of a rollout from a row of TARGET."""
    return Target(
        rollout=row[0],
        device=row[1],
        artifact=row[2],
        wave=row[3],
        step=Step(row[4]),
        attempt=row[5],
        tries=row[6],
        done=row[7],
        size=row[8],
        reason=row[9],
        changed_us=row[10],
        changed_clock=row[11],
        deadline_s=row[12],
        left_s=row[13],
        again_s=row[14],
        settled=bool(row[15]),
    )


def _values(of: Target) -> tuple[str | int | float | None, ...]:
    return (
        of.rollout,
        of.device,
        of.artifact,
        of.wave,
        of.step.value,
        of.attempt,
        of.tries,
        of.done,
        of.size,
        of.reason,
        of.changed_us,
        of.changed_clock,
        of.deadline_s,
        of.left_s,
        of.again_s,
        int(of.settled),
    )
