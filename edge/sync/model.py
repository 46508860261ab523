"""What the sync conversation decides, as values: where a stream goes on, what an error or an address means."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b

import msgspec
from yarl import URL

from edge.errors import BadInput
from edge.wire.sync import POINTS_MAX, StreamState

SLUG_CHARS, TOKEN_CHARS, NAME_CHARS = 64, 256, 200
DAY_S = 86_400.0


class State(StrEnum):
    """How syncing stands; see SyncView."""

    OFF = "off"
    CONNECTING = "connecting"
    LIVE = "live"
    CATCHING_UP = "catching-up"
    AWAY = "away"
    REFUSED = "refused"


class Verdict(StrEnum):
    """What to do after the centre's error."""

    WAIT = "wait"  # it passes by itself: try again, as the centre says when
    AGAIN = "again"  # this session or its picture of a stream is over: say hello again
    REFUSED = "refused"  # a person has to do something; look again now and then


_AGAIN = frozenset({"session-over", "forked", "expects"})


def judge(said: str, status: int, *, passes: bool) -> Verdict:
    """What an error of the centre means for the conversation. `passes`: its own word that it may be asked again."""
    if said in _AGAIN:
        return Verdict.AGAIN
    if status in (408, 429) or status >= 500 or passes:
        return Verdict.WAIT
    return Verdict.REFUSED


class Place(msgspec.Struct, frozen=True):
    """What a stream has here: its epoch and numbers, and a row's hash by its number (None: no such row)."""

    epoch: str
    first: int
    head: int


class Course(StrEnum):
    """How a stream goes on."""

    ON = "on"  # from where the centre says
    REGISTER = "register"  # the centre does not know this epoch yet
    ANEW = "anew"  # these are not the rows the centre has: a new epoch first


def ledger_course(here: Place, there: StreamState, own: bytes | None) -> Course:
    """How the ledger goes on; `own` is the hash of our row `there.next - 1`, GENESIS before the first."""
    if there.epoch != here.epoch:
        return Course.REGISTER
    same = there.next <= 1 or (own is not None and own.hex() == there.hash)
    return Course.ON if same and not there.order else Course.ANEW


def readings_course(here: Place, there: StreamState, own: bytes | None) -> Course:
    """How readings go on; `own` is the digest of our row `there.high`.

    A row that is gone here because all up to it was let go proves nothing, and is no reason to begin anew.
    """
    if there.epoch != here.epoch:
        return Course.REGISTER
    if there.order or there.high > here.head or there.next > here.head + 1:
        return Course.ANEW
    if not there.high_hash or (own is None and there.high < here.first):
        return Course.ON
    return Course.ON if own is not None and own.hex() == there.high_hash else Course.ANEW


def search_points(low: int, high: int, count: int = POINTS_MAX) -> list[int]:
    """Numbers from `low` to `high` to ask about: half of them evenly, half ever closer to the end, where rows of
    two histories part most often."""
    if high - low < count:
        return list(range(low, high + 1))
    half = count // 2
    even = {low + (high - low) * step // (half - 1) for step in range(half)}
    near = {high - 2**step for step in range(half) if 2**step <= high - low}
    return sorted(even | near)


def narrowed(points: Sequence[int], same: Sequence[bool], high: int) -> tuple[int, int]:
    """After one question: the highest row that is the same (0: none), and up to where a higher one may be."""
    best = max((at for at, (_, is_same) in enumerate(zip(points, same, strict=True)) if is_same), default=-1)
    upto = points[best + 1] - 1 if best + 1 < len(points) else high
    return (points[best] if best >= 0 else 0), upto


def address(text: str, *, insecure: bool) -> str:
    """The centre's address as it is used: `https://HOST[:PORT]`.

    http is taken on this machine alone, or with `insecure` (setting sync.insecure). Raises BadInput.
    """
    try:
        url = URL(text.strip())
        port = url.port
    except ValueError as error:
        raise BadInput(f"{text!r} is no address.", hint=_ADDRESS_HINT) from error
    if url.scheme not in ("https", "http") or not url.host or port is None:
        raise BadInput(f"{text!r} is no address of a centre.", hint=_ADDRESS_HINT)
    if url.user or url.query_string or url.fragment or url.path not in ("", "/"):
        raise BadInput(f"{text!r} has more in it than scheme, host and port.", hint=_ADDRESS_HINT)
    if url.scheme == "http" and not insecure and not _here(url.host):
        raise BadInput(
            f"{text!r} would send the site's token in the clear.",
            hint="Use https://; on a bench, the setting sync.insecure allows http://.",
        )
    return str(url.origin())


_ADDRESS_HINT = "Give it as https://HOST or https://HOST:PORT."


def _here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def place_of(machine: str, directory: str) -> str:
    """Names machine and data directory, so that two hubs with one token are told apart; says neither."""
    return blake2b(f"{machine}\0{directory}".encode(), digest_size=16).hexdigest()


def is_word(text: str, limit: int) -> bool:
    """Whether the centre's word can be kept, shown and sent in a header: printable ASCII without blanks."""
    return 0 < len(text) <= limit and text.isascii() and text.isprintable() and " " not in text


def buffer_days(free_bytes: int, bytes_per_day: float | None) -> float | None:
    """How long the space for readings lasts; None when nothing comes in."""
    return free_bytes / bytes_per_day if bytes_per_day else None
