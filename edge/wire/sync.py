"""What hub and centre say to each other: the hub asks, the centre answers, over HTTP under /sync/v1.

Hello, answers and the inbox are JSON, and what is not known in them is ignored, so that either side may be newer.
Batches are msgpack arrays under zstd; a row is an array of fixed length, so that neither side touches each one.
docs/sync.md tells the whole conversation.
"""

from __future__ import annotations

import threading
from hashlib import blake2b
from typing import Annotated, Any, TypeVar

import msgspec
import zstandard

from edge.wire.asked import Asked
from edge.wire.ledger import chain
from edge.wire.times import MONO_MAX_MS
from edge.wire.values import NUMBER_MAX, TIME_MAX_US
from edge.wire.views import Json, View

PROTOCOL = 1  # what this version speaks
MIN_PROTOCOL = 1  # the oldest it still speaks: always the one before PROTOCOL, once there is one
SESSION_HEADER = "Outpost-Session"  # of every request behind the hello: the number it gave
BATCH_TYPE = "application/vnd.outpost.batch"
PACKED_BYTES = 512 * 1024  # what a batch should come to on the line
PACKED_MAX = 4 * 1024 * 1024  # what the centre takes
UNPACKED_MAX = 32 * 1024 * 1024  # what a batch may come to unpacked; more is refused before it is unpacked
ROWS_MAX = 50_000  # of one batch
LEDGER_ROWS = 1_000  # facts of one batch: others wait behind the centre's work on them, a third of a second
SERIES_MAX = 2_000  # series told with one batch, unless one row needs more
STATE_ROWS_MAX = 2_000  # of one batch of the live lane, which nobody's is to wait long behind
POINTS_MAX = 64  # of one comparison
LEASE_S = 20.0  # after so long without a word from it, a hub's place may be taken by one started elsewhere
ZSTD_LEVEL = 3
ITEM_MAX = 3 * 1024 * 1024  # bytes of one inbox item's body: a picture as base64
INBOX_MAX = 4 * 1024 * 1024  # of all items in one answer; what does not fit comes with the next
INBOX_ITEMS = 100  # in one answer
CURSOR_MAX = 2**43  # a hub may name items up to there that the centre never gave, and numbers go on behind
INBOX_WAIT_MAX_S = 25.0  # a question for items is answered by then, though there be none

INT64_MAX = 2**63 - 1
LATE_MAX_US = 2**58

Int64 = Annotated[int, msgspec.Meta(ge=-INT64_MAX - 1, le=INT64_MAX)]
SEQ_MAX = 2**44 - 1
Seq = Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)]  # at 1,000 rows a second, enough for 500 years
Head = Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)]  # a Seq, or 0 for none
Time = Annotated[int, msgspec.Meta(ge=0, le=TIME_MAX_US)]
Number = Annotated[float, msgspec.Meta(ge=-NUMBER_MAX, le=NUMBER_MAX)]
Late = Annotated[int, msgspec.Meta(ge=-LATE_MAX_US, le=LATE_MAX_US)]
FactMono = Annotated[int, msgspec.Meta(ge=0, le=MONO_MAX_MS)]
Mono = Annotated[int, msgspec.Meta(ge=-MONO_MAX_MS, le=MONO_MAX_MS)]
Small = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Quality = Annotated[int, msgspec.Meta(ge=0, le=3)]
NAME_CHARS = 200  # of an id, a kind, a key
TEXT_CHARS = 4096  # of a reading that is a text
VIEW_BYTES = 512 * 1024  # of one thing's view: the newest values of 256 keys, the longest texts escaped, are 0.4 MB
Name = Annotated[str, msgspec.Meta(max_length=NAME_CHARS)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS)]
ViewJson = Annotated[bytes, msgspec.Meta(max_length=VIEW_BYTES)]

FactRow = tuple[Seq, Name, Name, Time, Name, Name, FactMono, str, bytes]
"""A Fact's fields: seq, kind, subject, at_us, quality, boot_id, mono_ms, body, hash."""
NumberRow = tuple[Seq, Small, Time, Number, Annotated[int, msgspec.Meta(ge=0, le=1)], Quality, Late, Int64, Mono]
"""seq, series, at_us, value, kind (0 number, 1 true or false), quality, late_us, boot, mono_ms; see readings in
the hub's store."""
TextRow = tuple[Seq, Small, Time, Text, Annotated[int, msgspec.Meta(ge=2, le=2)], Quality, Late, Int64, Mono]
"""The same with a text for a value, kind 2."""
ReadingPlace = tuple[str, str, Time]
"""Device, key and time (`at_us`) of a reading: readings are kept by these, not by number."""
StateRow = tuple[Name, Name, Name, Int64, Time, ViewJson]
"""kind, id, device id or '', version, at_us, the view as JSON (empty: it is gone)."""


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """Base of batches."""


T = TypeVar("T")
Rows = Annotated[list[T], msgspec.Meta(max_length=ROWS_MAX)]
"""A list of a batch: a longer one is refused before its rows are made."""


class LedgerBatch(Packed, frozen=True):
    """Facts in order, without a hole, behind the row with hash `previous`.

    `skipped`: seq and hash of rows the centre would not take; they are told by a fact of their own.
    """

    epoch: str
    first: Seq
    previous: bytes
    rows: Rows[FactRow]
    skipped: Rows[tuple[Seq, bytes]] = msgspec.field(default_factory=list)


class ReadingsBatch(Packed, frozen=True):
    """All readings there are from `first` to `last`; numbers not among them were let go, or are dead letters.

    `series` and `boots` are those new to the centre: (number, device id, key) and (number, boot id).
    """

    epoch: str
    first: Seq
    last: Seq
    series: Rows[tuple[Small, Name, Name]]
    boots: Rows[tuple[Small, Name]]
    numbers: Rows[NumberRow]
    texts: Rows[TextRow]


class StateBatch(Packed, frozen=True):
    """Views as they are now, each replacing what the centre has of the same kind and id.

    A snapshot is everything there is: the batch that ends it says so, and what it did not name is gone.
    """

    rows: Annotated[list[StateRow], msgspec.Meta(max_length=STATE_ROWS_MAX)]
    snapshot_ends: bool
    report: dict[str, Json]  # a SiteReport


class WidgetSeen(msgspec.Struct, frozen=True):
    """The view of a state row `widget`: one that switches `pin` of `device`."""

    id: str
    device: str
    pin: str


class StreamHead(View, frozen=True, kw_only=True):
    """Where a stream stands at the hub. `points`: numbers and hashes (hex) of some rows, the newest first."""

    epoch: str
    head: Head
    first: Head  # the oldest row the hub still has
    points: list[tuple[Head, str]] = msgspec.field(default_factory=list)


class Hello(View, frozen=True, kw_only=True):
    """POST /sync/v1/hello. `place` names machine and data directory, `run` this start of the hub."""

    protocol: int
    min_protocol: int
    version: str
    place: str
    boot_id: str
    run: str
    name: str
    timezone: str
    at_us: int
    quality: str
    ledger: StreamHead
    readings: StreamHead
    inbox: int = 0  # the last item that was applied


class StreamState(View, frozen=True, kw_only=True):
    """What the centre has of a stream and what it wants next.

    `hash`: of row `next - 1` (hex), '' where it has none. `high`: the highest number it has taken in this epoch;
    `ranges`: what it has beyond `next`. `order`: `new-epoch` where the hub's rows cannot be those it has.
    `series`, `boots`: how many of these of a readings stream it knows, by the highest number.
    """

    epoch: str
    next: int
    hash: str = ""
    high: int = 0
    high_hash: str = ""
    ranges: list[tuple[int, int]] = msgspec.field(default_factory=list)
    order: str = ""
    why: str = ""
    series: int = 0
    boots: int = 0


class Welcome(View, frozen=True, kw_only=True):
    """The answer to a hello: the session every further request names."""

    protocol: int
    session: int
    tenant: str
    site: str
    name: str
    at_us: int
    ledger: StreamState
    readings: StreamState
    inbox_wait_s: float = 20.0


class BeginEpoch(View, frozen=True, kw_only=True):
    """POST /sync/v1/epoch: the stream goes on under a new epoch behind row `base`, whose hash is `hash` (hex).

    `hash` is '' where the hub has no row at `base` or before it, in readings because it let go of them; where it
    has a reading, `place` tells where that is kept. What the centre has of the old epoch up to `base` counts for
    the new one too: the answer, a StreamState, tells what is wanted next. What comes behind `base` and is there all
    the same is known by its content. The same again, after a lost answer, is answered the same.
    """

    stream: str  # ledger or readings
    epoch: str
    base: Head
    hash: str
    why: str
    place: ReadingPlace | None = None


class Compare(View, frozen=True, kw_only=True):
    """POST /sync/v1/compare: which of these rows (number, hash in hex) of a stream the centre has just so.

    A hub that looks for the last common row of its readings asks for rows in what the centre has (up to `next` - 1,
    and `ranges`): a row that never arrived says nothing about where the two part. Of readings
    `places` has one a point.
    """

    stream: str
    points: Annotated[list[tuple[Seq, str]], msgspec.Meta(max_length=POINTS_MAX)]
    places: Annotated[list[ReadingPlace], msgspec.Meta(max_length=POINTS_MAX)] = msgspec.field(default_factory=list)


class Compared(View, frozen=True, kw_only=True):
    """One answer a point, in their order."""

    same: list[bool]


class Taken(View, frozen=True, kw_only=True):
    """The answer to a batch: what is wanted next, and what is there beyond it."""

    next: int
    ranges: list[tuple[int, int]] = msgspec.field(default_factory=list)


class Heard(View, frozen=True, kw_only=True):
    """The answer to a state batch and to a bye. `at_us`: the centre's time."""

    at_us: int


class Enrol(View, frozen=True, kw_only=True):
    """POST /sync/v1/enrol: the code that head office read out."""

    code: str
    place: str
    name: str
    version: str


class Enrolled(View, frozen=True, kw_only=True):
    """The site's token, shown this once."""

    site: str
    name: str
    tenant: str
    token: str


class Item(View, frozen=True, kw_only=True):
    """One thing the centre asks of a hub. `ttl_ms`: what was left of its time when this was sent; null: no end.

    Kinds and bodies: `command` {id, device, kind, args, agent, note}, `cancel` {command, reason}, `resolve`
    {command, outcome, note}, `twin` {device, desired}, `link` {agent, name, device}, `claim` {agent, name, device,
    computer_name}, `widget` {widget, state}. The note of a command is of a vend; its agent, where it names one, has
    to sit at the device still. A link is a technician's: it seats the agent at the device, whoever sits there now,
    or nobody where `agent` is ''. A claim is the agent's own, under the rules of the desks: the display he claims
    to sit at (an id or alias) or his computer's name leads to it, else he is refused with code `not-seated` and
    `held`, `no-display` or `offline`; the detail of its `inbox.applied` is the display's id. A widget item switches
    what the widget of an app stands for, `state` 0 or 1. `person` {id, email, username, full_name, active, gone}
    tells of somebody who has an account at the centre and reaches this site: he has one at the hub too, without a
    password. `asset` {do, …} changes what is defined and said of assets: the body of the request that /v1 takes,
    and what it is about: `add` {asset (the id it gets), …}, `change` and `wire` {asset, …}, `explain` {asset, stop,
    …}, `reason`, `shift` and `planned` {id, …}, `no_shift` and `no_planned` {id}. `firmware` {do, …}: see
    edge/updates/rollouts/orders.py. `content` is a ContentOrder (edge/wire/centre_content.py).
    """

    seq: int
    id: str
    kind: str
    body: dict[str, Json]
    actor: str
    ttl_ms: int | None = None


class Inbox(View, frozen=True, kw_only=True):
    """The answer to GET /sync/v1/inbox?after=: items behind that number, oldest first; empty when none came.

    `asked` comes to hubs alone that say `&asked=1`; it is no part of the numbered items.
    """

    items: list[Item]
    asked: list[Asked] = msgspec.field(default_factory=list)


class SiteReport(View, frozen=True, kw_only=True):
    """How the hub's own sending stands, by its own count; part of every state batch."""

    at_us: Time
    quality: str
    ledger_head: Head
    readings_head: Head
    dead_letters: int
    buffer_bytes: int
    buffer_max_bytes: int
    bytes_per_day: float | None  # at the present rate
    devices: int
    online: int
    problems: list[str]


APPLIED, REFUSED = "inbox.applied", "inbox.refused"
"""Kinds of the fact that every item ends with at the hub: subject its id; the body has kind, code and detail."""

B = TypeVar("B", bound=Packed)


class NotABatch(ValueError):
    """These bytes are no batch of that kind."""


class TooMuch(NotABatch):
    """It would unpack to more than is taken."""


class WrongRow(NotABatch):
    """A row does not have its types, or there are too many; the words name its place."""


_of_thread = threading.local()  # a compressor works for one thread at a time
_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[type[msgspec.Struct], msgspec.msgpack.Decoder[Any]] = {}


def pack(batch: Packed) -> bytes:
    """A batch as it goes over the line; from any thread."""
    compressor: zstandard.ZstdCompressor | None = getattr(_of_thread, "compressor", None)
    if compressor is None:
        compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_content_size=True, write_checksum=True)
        _of_thread.compressor = compressor
    return compressor.compress(_encode(batch))


def unpack(raw: bytes, kind: type[B]) -> B:
    """The batch in `raw`. Raises NotABatch: TooMuch before anything is unpacked, WrongRow."""
    if kind not in _decoders:
        _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        size = zstandard.get_frame_parameters(raw).content_size
        if not 0 < size <= UNPACKED_MAX:
            raise TooMuch(f"It would unpack to more than {UNPACKED_MAX} bytes, or does not say to how many.")
        decompressor = zstandard.ZstdDecompressor(max_window_size=UNPACKED_MAX)
        plain = decompressor.decompress(raw, allow_extra_data=False)
        batch: B = _decoders[kind].decode(plain)
    except msgspec.ValidationError as error:
        raise WrongRow(str(error)) from error
    except (zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotABatch(str(error)) from error
    return batch


def chained(batch: LedgerBatch) -> bytes | None:
    """The hash of the batch's last row when every row follows the one before it, else None."""
    skipped = dict(batch.skipped)
    previous, seq = batch.previous, batch.first
    rows = iter(batch.rows)
    for _ in range(len(batch.rows) + len(skipped)):
        if seq in skipped:
            previous = skipped[seq]
        else:
            row = next(rows, None)
            if row is None or row[0] != seq or row[8] != chain(previous, row[:8]):
                return None
            previous = row[8]
        seq += 1
    return previous


def readings_digest(device: str, key: str, at_us: int, value: float | str, kind: int, mono_ms: int) -> bytes:
    """What a row of readings is known by, 16 bytes: readings have no chain. A number counts as a float."""
    plain = value if isinstance(value, str) else float(value) + 0.0  # of the two zeros SQLite knows but one
    return blake2b(_encode([device, key, at_us, plain, kind, mono_ms]), digest_size=16).digest()
