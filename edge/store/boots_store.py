"""The only SQL for boots that began without a clock."""

from __future__ import annotations

import msgspec

from edge.store.transaction import Transaction
from edge.wire.times import FIXED_FACT, ClockFixed

KNOWN = "SELECT boot_id, began_us FROM clock_fixes WHERE began_us IS NOT NULL"


def mark(tx: Transaction, boot_id: str, unset_us: int) -> None:
    """Nothing has set the clock of this boot, which began at `unset_us` by it."""
    tx.execute(
        "INSERT INTO clock_fixes(boot_id, unset_us) VALUES (?,?) ON CONFLICT DO NOTHING", (boot_id, unset_us)
    )


def waiting(tx: Transaction, boot_id: str) -> int | None:
    """When this boot began by its unset clock, if it waits to be put right."""
    row = tx.one("SELECT unset_us FROM clock_fixes WHERE boot_id = ? AND began_us IS NULL", (boot_id,))
    return int(row[0]) if row else None


def fix(tx: Transaction, fixed: ClockFixed) -> None:
    """Write down when the boot really began, with its fact."""
    tx.execute("UPDATE clock_fixes SET began_us = ? WHERE boot_id = ?", (fixed.began_us, fixed.boot))
    tx.fact(FIXED_FACT, fixed.boot, **msgspec.structs.asdict(fixed))
