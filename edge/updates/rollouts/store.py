"""The only SQL for waves, for lists of rollouts and their devices, and for what became of updates in all."""

from __future__ import annotations

import msgspec

from edge.store.boots import unset
from edge.store.transaction import Row, Transaction, Value
from edge.updates.offers.model import Rollout, Target
from edge.updates.offers.store import OPEN_STEPS, ROLLOUT, TARGET, rollout_of, target_of
from edge.updates.rollouts.model import Wave, wave_of
from edge.wire.updates import Step

KEPT = 300  # rollouts that are over; older ones are forgotten with their devices
REASONS_SHOWN = 50
COUNTS = (
    "SELECT wave, step, settled, COUNT(*), SUM(done), SUM(size) FROM device_updates WHERE rollout = ?"
    " GROUP BY 1, 2, 3"
)
BEGUN = "SELECT wave, began_us, clock, reached_s, passed FROM rollout_waves WHERE rollout = ? ORDER BY wave"
ONE = f"SELECT {ROLLOUT} FROM rollouts WHERE id = ?"
USED_BY = (
    "SELECT COUNT(*) FROM rollouts WHERE artifact = ?1 AND (state IN ('scheduled','running','paused')"
    f" OR id IN (SELECT rollout FROM device_updates WHERE artifact = ?1 AND {OPEN_STEPS}))"
)
NEWEST_OF_DEVICE = f"SELECT {TARGET} FROM device_updates WHERE device_id = ? ORDER BY number DESC LIMIT 1"
ONE_TARGET = f"SELECT {TARGET} FROM device_updates WHERE rollout = ? AND device_id = ?"
ENDED_SINCE = (
    "SELECT step, reason, COUNT(*) FROM device_updates WHERE changed_us >= ? AND step IN"
    " ('confirmed','failed','rejected','rolled-back','timed-out') GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
)


class BegunWave(msgspec.Struct, frozen=True, kw_only=True):
    """A wave that has begun."""

    wave: int
    began_us: int
    clock: str | None
    reached_s: float | None
    passed: bool


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All of a rollout that is counted."""

    waves: list[Wave]
    begun: dict[int, BegunWave]
    steps: dict[str, int]
    bytes_done: int
    bytes_all: int


def standing(counts: list[Row], begun: list[Row]) -> Standing:
    """From the rows of COUNTS and of BEGUN."""
    began = {
        row[0]: BegunWave(wave=row[0], began_us=row[1], clock=row[2], reached_s=row[3], passed=bool(row[4]))
        for row in begun
    }
    by_wave: dict[int, list[tuple[Step, bool, int]]] = {}
    steps: dict[str, int] = {}
    for wave, step, settled, count, _, _ in counts:
        by_wave.setdefault(wave, []).append((Step(step), bool(settled), count))
        steps[step] = steps.get(step, 0) + count
    waves = []
    for number in sorted(by_wave):
        mark = began.get(number)
        more: dict[str, object] = {} if mark is None else {"reached_s": mark.reached_s, "passed": mark.passed}
        waves.append(wave_of(number, by_wave[number], began=mark is not None, **more))
    done, size = sum(row[4] for row in counts), sum(row[5] for row in counts)
    return Standing(waves=waves, begun=began, steps=steps, bytes_done=done, bytes_all=size)


def waves(tx: Transaction, rollout_id: str) -> list[Wave]:
    """The waves of a rollout as they stand in this transaction."""
    return standing(tx.rows(COUNTS, (rollout_id,)), tx.rows(BEGUN, (rollout_id,))).waves


def begin_wave(tx: Transaction, rollout_id: str, wave: int) -> None:
    """It begins now."""
    tx.execute(
        "INSERT INTO rollout_waves(rollout, wave, began_us, clock) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
        (rollout_id, wave, tx.stamp.at_us, unset(tx.stamp)),
    )


def reach_wave(tx: Transaction, rollout_id: str, wave: int, now_s: float) -> None:
    """Enough of it has ended well."""
    tx.execute(
        "UPDATE rollout_waves SET reached_s = ? WHERE rollout = ? AND wave = ? AND reached_s IS NULL",
        (now_s, rollout_id, wave),
    )


def pass_wave(tx: Transaction, rollout_id: str, wave: int) -> None:
    """A person lets it pass."""
    tx.execute("UPDATE rollout_waves SET passed = 1 WHERE rollout = ? AND wave = ?", (rollout_id, wave))


def settle_wave(tx: Transaction, rollout_id: str, wave: int) -> None:
    """What went wrong in it is settled by a person."""
    tx.execute(
        "UPDATE device_updates SET settled = 1 WHERE rollout = ? AND wave = ?"
        " AND step IN ('failed','rejected','rolled-back','timed-out')",
        (rollout_id, wave),
    )


def targets(tx: Transaction, rollout_id: str) -> list[Target]:
    """All its devices."""
    rows = tx.rows(f"SELECT {TARGET} FROM device_updates WHERE rollout = ? ORDER BY number", (rollout_id,))
    return [target_of(row) for row in rows]


def open_targets(tx: Transaction, rollout_id: str) -> list[Target]:
    """Those that have not ended."""
    rows = tx.rows(f"SELECT {TARGET} FROM device_updates WHERE rollout = ? AND {OPEN_STEPS}", (rollout_id,))
    return [target_of(row) for row in rows]


def to_offer(tx: Transaction, rollout_id: str, now_s: float) -> list[Target]:
    """Devices that wait in a wave that has begun, and are neither to wait longer nor held off."""
    rows = tx.rows(
        f"SELECT {TARGET} FROM device_updates AS u WHERE rollout = ?1 AND step = 'waiting'"
        " AND wave IN (SELECT wave FROM rollout_waves WHERE rollout = ?1)"
        " AND (again_s IS NULL OR again_s <= ?2) AND NOT EXISTS (SELECT 1 FROM firmware_holds AS h"
        " WHERE h.device_id = u.device_id AND h.artifact = u.artifact AND h.until_s > ?2) ORDER BY number",
        (rollout_id, now_s),
    )
    return [target_of(row) for row in rows]


def next_s(tx: Transaction, rollout_id: str, now_s: float) -> float | None:
    """When, by the clock of watching, the first of its devices is late, or may be offered again."""
    row = tx.one(
        "SELECT MIN(at_s) FROM (SELECT deadline_s AS at_s FROM device_updates WHERE rollout = ?1"
        f" AND {OPEN_STEPS} UNION ALL SELECT again_s FROM device_updates WHERE rollout = ?1 AND step = 'waiting'"
        " AND again_s > ?2 UNION ALL SELECT until_s FROM firmware_holds AS h JOIN device_updates AS u"
        " ON u.device_id = h.device_id AND u.artifact = h.artifact WHERE u.rollout = ?1 AND u.step = 'waiting'"
        " AND h.until_s > ?2)",
        (rollout_id, now_s),
    )
    return None if row is None else row[0]


def used_by(tx: Transaction, artifact: str) -> int:
    """How many rollouts that are not over need an artifact."""
    row = tx.one(USED_BY, (artifact,))
    return int(row[0]) if row else 0


def open_rollouts(tx: Transaction) -> int:
    """How many of this site are not over."""
    row = tx.one(
        "SELECT COUNT(*) FROM rollouts WHERE state IN ('scheduled','running','paused') AND origin = 'site'"
    )
    return int(row[0]) if row else 0


def answered(tx: Transaction, request: str) -> tuple[bytes, Rollout] | None:
    """The rollout that an earlier request under this key made, and its body's hash."""
    row = tx.one(f"SELECT body_hash, {ROLLOUT} FROM rollouts WHERE request = ?", (request,))
    return (row[0], rollout_of(row[1:])) if row else None


def prune(tx: Transaction) -> None:
    """Forget rollouts that are long over."""
    gone = tx.rows(
        "SELECT id FROM rollouts WHERE state IN ('aborted','done','short') AND NOT EXISTS (SELECT 1 FROM"
        f" device_updates WHERE rollout = rollouts.id AND {OPEN_STEPS}) ORDER BY number DESC LIMIT -1 OFFSET ?",
        (KEPT,),
    )
    for (rollout_id,) in gone:
        tx.execute("DELETE FROM device_updates WHERE rollout = ?", (rollout_id,))
        tx.execute("DELETE FROM rollout_waves WHERE rollout = ?", (rollout_id,))
        tx.execute("DELETE FROM rollouts WHERE id = ?", (rollout_id,))


def list_query(state: str, artifact: str, before: int | None, limit: int) -> tuple[str, tuple[Value, ...]]:
    """The SELECT of a page of rollouts, newest first. `state` `open`: all that are not over."""
    terms: list[str] = []
    values: list[Value] = []
    if state == "open":
        terms.append("state IN ('scheduled','running','paused')")
    elif state:
        terms.append("state = ?")
        values.append(state)
    if artifact:
        terms.append("artifact = ?")
        values.append(artifact)
    if before is not None:
        terms.append("number < ?")
        values.append(before)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    return f"SELECT {ROLLOUT} FROM rollouts{where} ORDER BY number DESC LIMIT ?", (*values, limit)


def devices_query(
    rollout_id: str, step: str, wave: int | None, after: int, limit: int
) -> tuple[str, tuple[Value, ...]]:
    """The SELECT of a page of a rollout's devices in the order of their waves, each led by its number."""
    terms = ["rollout = ?", "number > ?"]
    values: list[Value] = [rollout_id, after]
    if step:
        terms.append("step = ?")
        values.append(step)
    if wave is not None:
        terms.append("wave = ?")
        values.append(wave)
    query = f"SELECT number, {TARGET} FROM device_updates WHERE {' AND '.join(terms)} ORDER BY number LIMIT ?"
    return query, (*values, limit)
