"""One line of a communication log: an arrow for its way, its level in colour."""

from __future__ import annotations

from datetime import datetime, tzinfo

from rich.text import Text

from edge.wire.views import LogLine
from tui import ages
from tui.widgets.cell import cell

LEVELS = {"error": "bad", "warning": "warn", "warn": "warn", "debug": "quiet"}
ARROWS = {"out": ("→ ", "key"), "in": ("← ", "good")}
NAME_CELLS = 14


def drawn(line: LogLine, where: tzinfo, now: datetime, device: str = "") -> Text:
    """`12:04:31 Till 1 → text`; without `device` it is not named."""
    text = cell(f"{ages.clock_text(ages.moment(line.at), where, now)} ", "quiet")
    if device:
        text.append_text(cell(f"{device[:NAME_CELLS]:<{NAME_CELLS}} ", "strong"))
    arrow, style = ARROWS.get(line.direction, ("", ""))
    text.append_text(cell(arrow, style))
    text.append_text(cell(line.text, LEVELS.get(line.level.lower(), "")))
    return text


def fields(line: LogLine, device: str) -> dict[str, str]:
    """What a filter looks at."""
    return {
        "device": f"{line.device} {device}",
        "text": line.text,
        "level": line.level,
        "direction": line.direction,
        "channel": line.channel,
    }
