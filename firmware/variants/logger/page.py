"""What the logger's own page shows, and in JSON: the machines, their last changes, and what they add up to.

It needs no script. Everything is made piece by piece while it is sent. `/status` has the shape that older loggers
had, and `/assets` is the same.
"""

import json

from outpost.dates import iso
from outpost.server import Answer, escaped
from variants.logger.runs import UNKNOWN, Input
from variants.logger.words import AWAY, Board, word

try:
    from collections.abc import Iterator
except ImportError:  # MicroPython has none, and needs none
    pass

HTML = "text/html; charset=utf-8"
JSON = "application/json"
REFRESH_S = 10
STYLE = (
    "body{font:16px system-ui,sans-serif;margin:1em auto;max-width:52em;padding:0 1em;color:#1d2530}"
    "table{border-collapse:collapse;width:100%;margin-bottom:1.5em}th,td{text-align:left;padding:.3em .6em;"
    "border-bottom:1px solid #d5dae1}.running{color:#0a6b2d;font-weight:600}.stopped{color:#a32020;font-weight:600}"
    ".unknown{color:#7a5600;font-weight:600}input,select{font:inherit;max-width:10em}fieldset{border:0;padding:0}.scroll{overflow-x:auto}"
)


def home(board: Board) -> Answer:
    """What to see at /."""
    return Answer(200, HTML, _home(board))


def status(board: Board, facts: "dict[str, object]") -> Answer:
    """/status, and /assets. `facts` are numbers and text by name, `ip_address` among them."""
    return Answer(200, JSON, _status(board, facts))


def events(board: Board) -> Answer:
    """The last changes, the newest first."""
    return Answer(200, JSON, _events(board))


def framed(title: str, pieces: "Iterator[str]", refresh_s: int = 0) -> "Iterator[bytes]":
    """A whole page around them."""
    again = '<meta http-equiv="refresh" content="%d">' % refresh_s if refresh_s else ""
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "%s<title>%s</title><style>%s</style></head><body><h1>%s</h1>"
        % (again, escaped(title), STYLE, escaped(title))
    ).encode()
    for piece in pieces:
        yield piece.encode()
    yield b"</body></html>\n"


def _home(board: Board) -> "Iterator[bytes]":
    return framed(board.title, _body(board), REFRESH_S)


def _body(board: Board) -> "Iterator[str]":
    clock = iso(board.now_us) if board.now_us else "not known yet"
    yield "<p>Hub: %s. Records that wait for it: %d. Time: %s.</p>" % (board.hub, board.waiting, clock)
    yield '<div class="scroll"><table><tr>'
    yield "<th>Machine<th>State<th>For<th>Running<th>Stopped<th>Stops<th>Available</tr>"
    for input in board.runs.inputs:
        yield _row(input, board.now)
    yield "</table></div><p>All of this is counted since the board started, %s ago.</p>" % _long(board.now)
    yield "<h2>Last changes</h2><table><tr><th>When<th>Machine<th>State</tr>"
    for at_ms, input, state in reversed(board.runs.events):
        at_us = board.utc_us(at_ms)
        when = iso(at_us) if at_us else _long(board.now - at_ms) + " ago"
        yield "<tr><td>%s<td>%s<td>%s</tr>" % (when, escaped(input.name), word(state))
    yield "</table><p><a href=/settings>Settings</a> <a href=/status>status</a> <a href=/events>events</a></p>"


def _row(input: Input, now: int) -> str:
    available = input.availability(now)
    return '<tr><td>%s<td class="%s">%s<td>%s<td>%s<td>%s<td>%d<td>%s</tr>' % (
        escaped(input.name),
        word(input.state).split(" ")[0],
        word(input.state),
        _long(now - input.since_ms),
        _long(input.spent_ms(True, now)),
        _long(input.spent_ms(False, now)),
        input.stops,
        "-" if available is None else "%.1f %%" % available,
    )


def _status(board: Board, facts: "dict[str, object]") -> "Iterator[bytes]":
    system = {
        "name": board.title,
        "wifi_connected": bool(facts["ip_address"]),
        "server_connected": board.hub != AWAY,
        "uptime": board.now // 1000,
        "counted_since": "start",
        "time": iso(board.now_us) if board.now_us else None,
        "records_waiting": board.waiting,
    }  # type: dict[str, object]
    system.update(facts)
    yield b'{"system": ' + json.dumps(system).encode() + b', "assets": ['
    for i, input in enumerate(board.runs.inputs):
        yield (b", " if i else b"") + json.dumps(_asset(input, board)).encode()
    yield b"]}\n"


def _asset(input: Input, board: Board) -> "dict[str, object]":
    return {
        "name": input.name,
        "key": input.key,
        "pin": input.pin,
        "state": word(input.state),
        "is_running": None if input.state == UNKNOWN else input.state,
        "since_s": (board.now - input.since_ms) // 1000,
        "availability_percentage": input.availability(board.now),
        "total_runtime": input.spent_ms(True, board.now) // 1000,
        "total_downtime": input.spent_ms(False, board.now) // 1000,
        "total_unknown": input.spent_ms(UNKNOWN, board.now) // 1000,
        "total_stops": input.stops,
        "bounces": input.bounces(),
    }


def _events(board: Board) -> "Iterator[bytes]":
    yield b'{"events": ['
    between = b""
    for at_ms, input, state in reversed(board.runs.events):
        at_us = board.utc_us(at_ms)
        event = {
            "at": iso(at_us) if at_us else None,
            "ago_s": (board.now - at_ms) // 1000,
            "key": input.key,
            "name": input.name,
            "state": word(state),
        }
        yield between + json.dumps(event).encode()
        between = b", "
    yield b"]}\n"


def _long(ms: int) -> str:
    """How long that is, for people: `3 d 4 h`, `12 min 5 s`."""
    seconds = max(0, ms) // 1000
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return "%d d %d h" % (days, hours)
    if hours:
        return "%d h %d min" % (hours, minutes)
    return "%d min %d s" % (minutes, seconds % 60) if minutes else "%d s" % seconds
