"""The only SQL for the communication log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.clock import Stamp
from edge.store.transaction import Transaction, Value

COLUMNS = "device_id, at_us, quality, boot_id, mono_ms, level, text, direction, channel"


class Line(Protocol):
    """What is written of a line."""

    @property
    def device_id(self) -> str:
        """Whose."""

    @property
    def stamp(self) -> Stamp:
        """When."""

    @property
    def level(self) -> str:
        """How grave."""

    @property
    def text(self) -> str:
        """What."""

    @property
    def direction(self) -> str:
        """Which way."""

    @property
    def channel(self) -> str:
        """Over what."""


def add(tx: Transaction, lines: Sequence[Line], prune: Sequence[str], keep: int, keep_in_all: int) -> None:
    """Add lines; forget all but `keep` of each device in `prune`, and all but about `keep_in_all` of all."""
    tx.raw.executemany(
        f"INSERT INTO device_log({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                line.device_id,
                line.stamp.at_us,
                line.stamp.quality.value,
                line.stamp.boot_id,
                line.stamp.mono_ms,
                line.level,
                line.text,
                line.direction,
                line.channel,
            )
            for line in lines
        ],
    )
    for device_id in prune:
        tx.execute(
            "DELETE FROM device_log WHERE device_id = ?1 AND id <="
            " (SELECT id FROM device_log WHERE device_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (device_id, keep),
        )
    if prune:
        tx.execute("DELETE FROM device_log WHERE id <= (SELECT MAX(id) FROM device_log) - ?", (keep_in_all,))


def search(
    device_id: str, contains: str, level: str, direction: str, *, before: int | None, after: int | None, limit: int
) -> tuple[str, tuple[Value, ...]]:
    """The question for the newest lines that fit, and its values.

    Its rows: id, device, time, level, text, direction, channel, and the clock: quality, boot, monotonic time.
    """
    wanted: list[tuple[str, Value]] = []
    if device_id:
        wanted.append(("device_id = ?", device_id))
    if contains:
        wanted.append(("instr(lower(text), lower(?)) > 0", contains))
    if level:
        wanted.append(("level = ?", level))
    if direction:
        wanted.append(("direction = ?", direction))
    if before is not None:
        wanted.append(("id < ?", before))
    if after is not None:
        wanted.append(("id > ?", after))
    where = " AND ".join(clause for clause, _ in wanted) or "1"
    return (
        "SELECT id, device_id, at_us, level, text, direction, channel, quality, boot_id, mono_ms FROM device_log"
        f" WHERE {where} ORDER BY id DESC LIMIT ?",
        (*(value for _, value in wanted), limit),
    )
