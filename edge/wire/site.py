"""How a hub's syncing stands, as its own /v1/sync shows it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from edge.wire.views import Request, View

LETTERS_SHOWN = 500  # dead letters in one list, and discarded with one request


class LaneView(View, frozen=True, kw_only=True):
    """One stream to the centre. `complete_to`: everything up to then is there. `waiting`: rows not yet there.

    `rows_per_s`: what has gone lately; `left_s`: how long the rest takes at that rate, null when that is not known.
    """

    stream: str  # ledger, readings
    head: int
    next: int
    waiting: int
    oldest_waiting_at: str | None
    complete_to: str | None
    rows_per_s: float
    left_s: float | None


class SyncView(View, frozen=True, kw_only=True):
    """Syncing at one look.

    `state`: `off` (not enrolled), `connecting`, `live` (nothing waits), `catching-up`, `away` (no line),
    `refused` (a person has to do something: `problem` and `hint` say what).
    `buffer_days`: how long from now the space for readings lasts at the present rate, null while
    that is not known, and when nothing comes in.
    """

    state: str
    url: str
    site: str
    name: str
    tenant: str
    since: str | None
    problem: str
    hint: str
    contact_at: str | None
    protocol: int
    lanes: list[LaneView]
    buffer_bytes: int
    buffer_max_bytes: int
    buffer_days: float | None
    dead_letters: int
    sent_bytes: int


class DeadLetterView(View, frozen=True, kw_only=True):
    """A row that the centre would not take. `body`: the row as text, cut short."""

    id: int
    stream: str
    seq: int
    at: str
    why: str
    body: str


class EnrolSite(Request, frozen=True, kw_only=True):
    """POST /v1/sync/enrol: the code that head office read out, and where the centre is."""

    code: str
    url: str = ""  # '' where the setting sync.url says it


class DeadLetterDone(View, frozen=True, kw_only=True):
    """What became of dead letters that were sent again."""

    sent: int


class DiscardLetters(Request, frozen=True, kw_only=True):
    """POST /v1/sync/dead-letters/discard: by their ids, after a look at them."""

    ids: Annotated[list[int], msgspec.Meta(min_length=1, max_length=LETTERS_SHOWN)]


class LettersDiscarded(View, frozen=True, kw_only=True):
    """How many of them still waited, and are left out for good now."""

    discarded: int
