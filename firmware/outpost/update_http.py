"""One request of an update over the network: within the session, and proved like any other.

The `Range` is in no signature; what comes is counted, and the whole's hash decides.
"""

import json

from outpost.http import Answer
from outpost.pairing import fields, problem
from outpost.session import RETRY_AFTER_S_MAX, Session, retry_after_ms
from outpost.updates import Request, Updates

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

TARGET = "/v1/device/firmware"
ANSWER_MS = 10000


def exchange(session: Session, updates: Updates, request: Request) -> "Generator[None, None, tuple[int, int]]":
    """Ask it, and give the answer to `updates`; its status, and for how many milliseconds the hub wants to be left
    alone. Raises what Session.ask does."""
    if request.told is not None:
        body = json.dumps(request.told).encode()
        answer = yield from session.ask(session.posts, "POST", TARGET, body, ANSWER_MS)
        if answer.status == 200:
            updates.heard(request, fields(answer))
        elif answer.status < 500:
            updates.not_heard(request)
        return answer.status, _after_ms(answer)
    fetch = request.fetch
    assert fetch is not None
    what, start = str(fetch["what"]), fetch["start"]
    most = fetch["most"]
    assert isinstance(start, int)
    assert isinstance(most, int)
    target = "%s/%s/%s%s" % (
        TARGET,
        fetch["artifact"],
        "" if what in ("manifest", "signatures") else "files/",
        what,
    )
    ranged = {"Range": "bytes=%d-%d" % (start, start + most - 1)}
    answer = yield from session.ask(session.posts, "GET", target, b"", ANSWER_MS, ranged)
    message = dict(fetch)  # type: dict[str, object]
    if answer.status == 206:
        first, total = _content_range(answer.headers.get("content-range", ""))
        message["total"] = total
        if first != start:
            message["err"] = "another piece than asked for"
    elif answer.status == 200 and start == 0:
        message["total"] = len(answer.body)
    elif answer.status < 500:
        message["err"] = problem(answer) or "status %d" % answer.status
    else:
        return answer.status, _after_ms(answer)  # it is asked for again
    updates.piece(request, message, answer.body)
    return answer.status, 0


def _after_ms(answer: Answer) -> int:
    return retry_after_ms(answer, RETRY_AFTER_S_MAX, 0)


def _content_range(text: str) -> "tuple[int, int]":
    """Where the piece begins and how long the whole is, from `bytes FIRST-LAST/TOTAL`; -1 where it does not say."""
    unit, _, rest = text.partition(" ")
    piece, _, total = rest.partition("/")
    first = piece.partition("-")[0]
    if unit != "bytes" or not first.isdigit() or not total.isdigit() or len(first + total) > 18:
        return -1, -1
    return int(first), int(total)
