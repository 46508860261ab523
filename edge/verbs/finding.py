"""What a look at a hub or a centre found, one check each."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from edge.clock import Quality, SystemClock
from edge.errors import OutpostError
from edge.serving.server import parse_listen
from edge.verbs.output import emit

MARK = {"ok": "●", "warn": "▲", "fail": "✗"}
KNOCKS = 5  # shown; `outpost knocking` shows them all
COLUMNS = ("state", "check", "seen", "todo")
CLOCKS = {Quality.RTC: "set by its own clock chip, by no time server", Quality.NONE: "nobody has set it"}


class Finding(msgspec.Struct, frozen=True):
    """One check: ok, warn or fail, what was seen, what to do."""

    check: str
    state: str
    seen: str
    todo: str = ""


def failed(check: str, error: OutpostError) -> Finding:
    """What an error says."""
    return Finding(check, "fail", error.detail, error.advice)


def clock() -> Finding:
    """Whether anything vouches for the time of this machine."""
    quality = SystemClock().now().quality
    if quality is Quality.NTP:
        return Finding("clock", "ok", "set by NTP")
    todo = "Let this machine reach a time server; until then times are marked as doubtful."
    if not quality.good:
        todo += " Panels show no time or date, and schedules' days and hours count by a clock that may be wrong."
    return Finding("clock", "warn", CLOCKS.get(quality, "nothing vouches for it"), todo)


def at_the_door(knocks: Sequence[dict[str, Any]]) -> Iterator[Finding]:
    """Who asks and finds no answer, the last few."""
    for knock in knocks[:KNOCKS]:
        yield Finding("knocking", "warn", f"{knock['peer']} {knock['what']} x{knock['count']}", knock["why"])


def tell(findings: Sequence[Finding], as_json: bool) -> int:
    """Print them; 1 when one failed."""
    if as_json:
        emit(msgspec.to_builtins(findings), True)
    else:
        rows = [{**msgspec.to_builtins(each), "state": f"{MARK[each.state]} {each.state}"} for each in findings]
        emit(rows, False, columns=COLUMNS)
    return 1 if any(each.state == "fail" for each in findings) else 0


def listener(text: str) -> Finding:
    """Whether an address to serve is free."""
    try:
        listen = parse_listen(text)
    except OutpostError as error:
        return failed(text, error)
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listen.host, listen.port))
        except OSError as error:
            return Finding(text, "fail", str(error.strerror), "Stop what listens there, or give another --listen.")
    return Finding(text, "ok", "free")
