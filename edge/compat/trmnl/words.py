"""What a TRMNL says with each request, in its headers, as values that can be relied on."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from edge.devices.model import TOKEN_CHARS_MAX, TOKEN_CHARS_MIN, canonical_id
from edge.serving.visits import line

SIDE_MAX = 4096  # pixels; none is larger
TEXT_CHARS = 40
BMP_SIZE = (800, 480)
CACHES_PNG = (1, 6)  # firmware from here on keeps a PNG under its name, but fetches a BMP each time it wakes
VOLTS_MAX = 30.0
LINES = 20  # of a log that are kept of one request
LINE_CHARS = 300


class Said(msgspec.Struct, frozen=True):
    """`mac`: '' for none that can be one; `token`: '' for none that could be a key. `cached`: what it was offered
    last it had already, and showed without fetching it."""

    mac: str
    token: str
    firmware: str
    model: str
    volts: float | None
    rssi: int | None
    size: tuple[int, int] | None
    cached: bool


def read(headers: Mapping[str, str]) -> Said:
    """What the headers of a request say."""
    token = headers.get("Access-Token", "").strip()
    fits = TOKEN_CHARS_MIN <= len(token) <= TOKEN_CHARS_MAX and token.isascii() and token.isprintable()
    return Said(
        mac=canonical_id(headers.get("ID", "").strip()) or "",
        token=token if fits else "",
        firmware=line(headers.get("FW-Version"))[:TEXT_CHARS],
        model=line(headers.get("Model"))[:TEXT_CHARS],
        volts=_volts(headers.get("Battery-Voltage", "")),
        rssi=_whole(headers.get("RSSI", ""), -200, 0),
        size=_size(headers),
        cached=headers.get("Image-Cached", "").strip().lower() == "true",
    )


def panel_name(said: Said) -> str:
    """The panel that is drawn for: '' where it does not say how large it is."""
    if said.size is None:
        return ""
    as_bitmap = said.size == BMP_SIZE and _version(said.firmware) < CACHES_PNG
    return f"{'bmp' if as_bitmap else 'png'}-{said.size[0]}x{said.size[1]}"


def log_lines(body: object) -> list[tuple[str, str]]:
    """POST /api/log: (level, text) of each line, the newest of them; of older firmware too."""
    told = body if isinstance(body, dict) else {}
    older = told.get("log")
    found = told.get("logs", older.get("logs_array") if isinstance(older, dict) else None)
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    return [(line(entry.get("level")) or "info", text) for entry in entries[-LINES:] if (text := _text(entry))]


def _text(entry: Mapping[str, Any]) -> str:
    text = line(entry.get("message") or entry.get("log_message"))[:LINE_CHARS]
    where, retry = line(entry.get("source_path")), line(entry.get("retry"))
    more = [f"{where}:{line(entry.get('source_line'))}".rstrip(":")] if where else []
    more += [f"retry {retry}"] if retry not in ("", "0") else []
    return f"{text} ({', '.join(more)})" if text and more else text


def _volts(text: str) -> float | None:
    try:
        volts = float(text)
    except ValueError:
        return None
    return round(volts, 3) if math.isfinite(volts) and 0 < volts <= VOLTS_MAX else None


def _whole(text: str, low: int, high: int) -> int | None:
    try:
        number = int(text) if len(text) < 12 else high + 1
    except ValueError:
        return None
    return number if low <= number <= high else None


def _size(headers: Mapping[str, str]) -> tuple[int, int] | None:
    width, height = (_whole(headers.get(name, ""), 1, SIDE_MAX) for name in ("Width", "Height"))
    return (width, height) if width and height else None


def _version(firmware: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d{1,4})\.(\d{1,4})", firmware, re.ASCII)
    return (int(found[1]), int(found[2])) if found else (0, 0)
