"""A piece of something long over the network, by `Range`: of an update's files, or of a picture.

The `Range` is in no signature; what comes is counted, and the whole's hash decides.
"""

from outpost.http import Answer
from outpost.pairing import problem
from outpost.session import RETRY_AFTER_S_MAX, Session, retry_after_ms

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

ANSWER_MS = 10000


def piece(
    session: Session, target: str, fetch: "dict[str, object]"
) -> "Generator[None, None, tuple[Answer, dict[str, object] | None]]":
    """Ask for `most` bytes from `start` on. The answer, and what `piece` of whoever asked takes: `fetch` with the
    whole's `total`, or with `err`; None: it is to be asked for again. Raises what Session.ask does.
    """
    start, most = fetch["start"], fetch["most"]
    assert isinstance(start, int)
    assert isinstance(most, int)
    ranged = {"Range": "bytes=%d-%d" % (start, start + most - 1)}
    answer = yield from session.ask(session.posts, "GET", target, b"", ANSWER_MS, ranged)
    message = dict(fetch)
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
        return answer, None
    return answer, message


def after_ms(answer: Answer) -> int:
    """For how long the hub wants to be left alone, in ms."""
    return retry_after_ms(answer, RETRY_AFTER_S_MAX, 0)


def _content_range(text: str) -> "tuple[int, int]":
    """Where the piece begins and how long the whole is, from `bytes FIRST-LAST/TOTAL`; -1 where it does not say."""
    unit, _, rest = text.partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit() or not total.isdigit() or len(first + total) > 18:
        return -1, -1
    return int(first), int(total)
