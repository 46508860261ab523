"""What people who are logged in at the centre ask of their things at a hub, and what that answers."""

from __future__ import annotations

from typing import Annotated

import msgspec

from edge.wire.views import View

ASKED_MAX = 20  # requests of people in one answer
EVENTS_PATH = "/events/next"  # asked by the centre for whoever listens there; answered when there is something
ANSWER_CHARS = 256 * 1024  # of what one of them is answered with


class Asked(View, frozen=True, kw_only=True):
    """What a person who is logged in at the centre asks of his things here, as an older app asks it of a hub.

    It is handed out once; the answer goes to /sync/v1/answers within `left_ms`. It is no fact.
    """

    id: str
    person: str
    method: str
    path: str
    query: dict[str, str]
    body: str
    left_ms: int


class Answered(View, frozen=True, kw_only=True):
    """POST /sync/v1/answers: what came of a person's request: a status of HTTP and the JSON, '' for none.

    `known`: false where the hub has no open account of this person, so that nothing was done. A request that nobody
    waits for any more is passed over.
    """

    id: str
    status: int
    body: Annotated[str, msgspec.Meta(max_length=ANSWER_CHARS)] = ""
    known: bool = True
