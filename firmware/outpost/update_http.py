"""One request of an update over the network: within the session, and proved like any other."""

import json

from outpost.pairing import fields
from outpost.piece_http import ANSWER_MS, after_ms, piece
from outpost.request import Request
from outpost.session import Session

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.updates import Updates

TARGET = "/v1/device/firmware"


def exchange(session: Session, updates: "Updates", request: Request) -> "Generator[None, None, tuple[int, int]]":
    """Ask it, and give the answer to `updates`; its status, and for how many milliseconds the hub wants to be left
    alone. Raises what Session.ask does."""
    if request.told is not None:
        body = json.dumps(request.told).encode()
        answer = yield from session.ask(session.posts, "POST", TARGET, body, ANSWER_MS)
        if answer.status == 200:
            updates.heard(request, fields(answer))
        elif answer.status < 500:
            updates.not_heard(request)
        return answer.status, after_ms(answer)
    fetch = request.fetch
    assert fetch is not None
    what = str(fetch["what"])
    files = "" if what in ("manifest", "signatures") else "files/"
    target = "%s/%s/%s%s" % (TARGET, fetch["artifact"], files, what)
    answer, message = yield from piece(session, target, fetch)
    if message is not None:
        updates.piece(request, message, answer.body)
    return answer.status, after_ms(answer) if message is None else 0
