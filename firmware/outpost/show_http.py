"""One request about the panel over the network: a piece of its picture, or word of what it shows."""

import json

from outpost.piece_http import ANSWER_MS, after_ms, piece
from outpost.request import Request
from outpost.session import Session
from outpost.showing import Showing

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

SHOWN = "/v1/device/shown"
PICTURES = "/v1/device/pictures/"


def exchange(session: Session, showing: Showing, request: Request) -> "Generator[None, None, tuple[int, int]]":
    """Ask it, and give the answer to `showing`; its status, and for how many milliseconds the hub wants to be left
    alone. Raises what Session.ask does."""
    if request.told is not None:
        body = json.dumps(request.told).encode()
        answer = yield from session.ask(session.posts, "POST", SHOWN, body, ANSWER_MS)
        if answer.status < 500:
            showing.heard(request, request.told["picture"])
        return answer.status, after_ms(answer)
    fetch = request.fetch
    assert fetch is not None
    answer, message = yield from piece(session, PICTURES + str(fetch["artifact"]), fetch)
    if message is not None:
        showing.piece(request, message, answer.body)
    return answer.status, after_ms(answer) if message is None else 0
