"""Assets, loggers, events and alerts in the shape that the older asset logger's pages read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from edge.assets.model import SECOND_US, Sums
from edge.compat.assets import formulas
from edge.compat.assets.pages.past import STOP_END, Happened
from edge.compat.assets.pages.plant import K, Logger, Machine, Place, Seen

Document = dict[str, Any]

STATES = {"running": "RUNNING", "stopped": "STOPPED", "planned": "IDLE", "unknown": "UNKNOWN"}
"""Our states in the older server's words: of its words IDLE is the one for a machine that need not run."""


def state_word(state: str) -> str:
    """A state in the older server's words; one that a newer hub tells of and nobody knows here is unknown."""
    return STATES.get(state, "UNKNOWN")


def js_time(at_us: int | None) -> str | None:
    """A time as a browser's JSON has it."""
    if at_us is None:
        return None
    at = datetime.fromtimestamp(at_us / SECOND_US, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def whole_s(us: int) -> int:
    """Whole seconds, as the older server counted."""
    return us // SECOND_US


def counted(sums: Sums) -> Document:
    """Figures of all time, or of a window, under the names the pages read: seconds, percent and hours."""
    run_s, stop_s = sums.run_us / SECOND_US, sums.stop_us / SECOND_US
    return {
        "runtime": whole_s(sums.run_us),
        "downtime": whole_s(sums.stop_us),
        "total_stops": sums.stops,
        "short_stops": sums.short_stops,
        "availability_percentage": formulas.availability(run_s, stop_s),
        "mtbf": formulas.mtbf_h(run_s, sums.stops),
        "mttr": formulas.mttr_h(stop_s, sums.stops),
    }


def asset(seen: Seen[K], machine: Machine[K], sums: Sums) -> Document:
    """An asset as the dashboard reads it."""
    logger = seen.logger_of(machine)
    return {
        "id": machine.id,
        "name": machine.name,
        "line": machine.line,
        "pin_number": machine.pin,
        "input": machine.input,
        "current_state": state_word(machine.state),
        "last_state_change": js_time(machine.since_us),
        **counted(sums),
        "short_stop_threshold": machine.short_stop_s,
        "microstop_threshold": machine.short_stop_s,
        "stop_reason": machine.reason,
        "is_active": True,
        "logger_id": logger.id if logger else None,
        "logger_info": logger_info(logger),
    }


def logger_info(logger: Logger | None) -> Document | None:
    """A logger as an asset names it."""
    if logger is None:
        return None
    return {
        "logger_id": logger.logger_id,
        "logger_name": logger.name,
        "status": logger.status,
        "last_seen": js_time(logger.seen_us),
    }


def logger(seen: Seen[K], one: Logger) -> Document:
    """A logger as its pages read it: the older server had its name under two names."""
    machines = [machine for machine in seen.machines if machine.logger == one.id]
    return {
        "id": one.id,
        "logger_id": one.logger_id,
        "logger_name": one.name,
        "name": one.name,
        "site": one.site,
        "location": one.location,
        "description": one.description,
        "status": one.status,
        "is_active": one.status != "pending",
        "last_seen": js_time(one.seen_us),
        "firmware_version": one.firmware,
        "ip_address": one.address,
        "user_id": one.owner or None,
        "created_at": js_time(one.created_us),
        "assets": [{"id": each.id, "name": each.name, "pin_number": each.pin} for each in machines],
    }


def event(happened: Happened[K], seen: Seen[K]) -> Document:
    """One row of the list of events: what ended, how long it had been, and the figures up to then."""
    machine, band = happened.machine, happened.band
    row = ended(seen, machine, band.at_us, running=happened.kind == STOP_END, lasted_us=happened.lasted_us)
    return {**row, **counted(band.sums)}


def ended(seen: Seen[K], machine: Machine[K], at_us: int, *, running: bool, lasted_us: int | None) -> Document:
    """The row of a run or a stop that ended; `running`: it was a stop, and the machine runs."""
    logger = seen.logger_of(machine)
    short = running and lasted_us is not None and lasted_us < machine.short_stop_s * SECOND_US
    return {
        "id": f"{machine.id}-{at_us}",
        "asset_id": machine.id,
        "asset_name": machine.name,
        "asset": {"id": machine.id, "name": machine.name, "pin_number": machine.pin},
        "logger_id": logger.logger_id if logger else None,
        "pin_number": machine.pin,
        "timestamp": js_time(at_us),
        "event_type": "STOP_END" if running else "RUN_END",
        "previous_state": "STOPPED" if running else "RUNNING",
        "new_state": "RUNNING" if running else "STOPPED",
        "state": "RUNNING" if running else "STOPPED",
        "duration": None if lasted_us is None else whole_s(lasted_us),
        "micro_stop": short,
        "stop_reason": "",
        "note": "",
    }


def shift(place: Place, name: str, shift_id: str, span: tuple[int, int], now_us: int) -> Document:
    """A shift that is under way or over, without figures."""
    under_way = span[0] <= now_us < span[1]
    return {
        "id": f"{shift_id}-{span[0]}",
        "shift_id": shift_id,
        "shift_name": name,
        "name": name,
        "site": place.id,
        "start_time": js_time(span[0]),
        "end_time": None if under_way else js_time(span[1]),
        "planned_end": js_time(span[1]),
        "status": "active" if under_way else "completed",
        "is_active": under_way,
    }


def alerts(seen: Seen[K], now_us: int) -> list[Document]:
    """What somebody should look at: machines that stand for longer than a short stop, loggers that are silent."""
    return sorted(_alerts(seen, now_us), key=lambda alert: str(alert["timestamp"]), reverse=True)


def _alerts(seen: Seen[K], now_us: int) -> Iterable[Document]:
    for machine in seen.machines:
        since_us = machine.since_us
        if machine.state == "stopped" and since_us and now_us - since_us >= machine.short_stop_s * SECOND_US:
            told = f"{machine.name} has been stopped since {js_time(since_us)}"
            yield _alert(f"stop-{machine.id}-{since_us}", "stop", "warning", told, since_us, asset=machine.id)
    for one in seen.loggers:
        if one.status == "offline":
            seen_us = one.seen_us or one.created_us
            told = f"{one.name} is offline since {js_time(seen_us)}"
            yield _alert(f"offline-{one.id}", "logger_offline", "critical", told, seen_us, logger=one.id)


def _alert(
    alert_id: str, kind: str, severity: str, message: str, at_us: int, *, asset: str = "", logger: str = ""
) -> Document:
    return {
        "id": alert_id,
        "type": kind,
        "severity": severity,
        "message": message,
        "asset_id": asset or None,
        "logger_id": logger or None,
        "timestamp": js_time(at_us),
        "status": "active",
        "acknowledged": False,
    }
