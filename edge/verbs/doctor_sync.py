"""What `outpost doctor` says of a hub's syncing with head office."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.verbs.finding import Finding

LOW_BUFFER_DAYS = 3.0


def of_hub(sync: dict[str, Any]) -> Iterator[Finding]:
    """From /v1/sync: whether it is enrolled, what waits, and for how long that has space."""
    state = sync["state"]
    if state == "off":
        yield Finding("sync", "ok", "not enrolled: the site works by itself")
        return
    waiting = ", ".join(f"{lane['waiting']} {_rows(lane['stream'])}" for lane in sync["lanes"] if lane["waiting"])
    seen = f"{state}, {sync['name']!r} at {sync['url']}" + (f"; {waiting} wait" if waiting else "")
    if state == "refused":
        yield Finding("sync", "fail", f"{seen}: {sync['problem']}", sync["hint"])
    elif state in ("away", "connecting"):
        heard = f"{seen}; last heard {sync['contact_at'] or 'never'}. {sync['problem']}".rstrip(" .") + "."
        todo = sync["hint"] or "Check the line. Nothing is lost: what waits is sent once it is back."
        yield Finding("sync", "warn", heard, todo)
    elif sync["problem"]:  # one stream stands still
        yield Finding("sync", "fail", f"{seen}: {sync['problem']}", sync["hint"])
    else:
        yield Finding("sync", "ok", seen)
    if sync["dead_letters"]:
        count = sync["dead_letters"]
        seen = f"{count} {'row' if count == 1 else 'rows'} that head office would not take"
        todo = "`outpost site letters` says why; `--again` sends them once more, `--discard` never."
        yield Finding("sync", "warn", seen, todo)
    days = sync["buffer_days"]
    if days is not None and days < LOW_BUFFER_DAYS:
        todo = "Bring the line back, or raise `disk.readings_mb`: after that readings are thinned."
        yield Finding("sync", "warn", f"space for readings lasts {days:.1f} days more", todo)


def _rows(stream: str) -> str:
    return "facts" if stream == "ledger" else stream
