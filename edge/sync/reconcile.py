"""After the hello: does each stream go on where the centre stands, or does it begin a new epoch?

The hub decides, because it alone has the rows. An old backup that was copied back by hand does not know that it is
old; but the row the centre had last is then missing here, or another.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import Unreachable
from edge.sync.client import CentreSaid
from edge.sync.model import Course, Place, ledger_course, narrowed, readings_course, search_points
from edge.sync.session import Session
from edge.sync.store import LEDGER
from edge.sync.streams import LedgerStream, ReadingsStream, Stream
from edge.wire.ledger import GENESIS
from edge.wire.sync import BeginEpoch, Compare, Compared, StreamState

QUESTIONS_MAX = 24  # of one search: 64 points each reach any number long before
RANGES_MAX = 64  # that are searched, from the newest on
WHY_CHARS = 200
KNOWN = "conflict"  # the centre's code for an epoch that was begun before
COPIED_BACK = "These are not the rows that the centre has: an older copy was put back, or two hubs wrote."


async def settle_ledger(session: Session, stream: LedgerStream) -> StreamState:
    """Where the ledger goes on."""
    there = session.welcome.ledger
    here = await stream.place()
    own = (await stream.hashes([there.next - 1])).get(there.next - 1)
    return await _settled(session, stream, there, ledger_course(here, there, own))


async def settle_readings(session: Session, stream: ReadingsStream) -> StreamState:
    """Where the readings go on."""
    there = session.welcome.readings
    here = await stream.place()
    own = (await stream.hashes([there.high])).get(there.high)
    return await _settled(session, stream, there, readings_course(here, there, own))


async def _settled(session: Session, stream: Stream, there: StreamState, course: Course) -> StreamState:
    if course is Course.ON:
        return there
    if course is Course.ANEW:
        await stream.begin_epoch(there.why[:WHY_CHARS] or COPIED_BACK)
    base = await _last_common(session, stream, there) if there.epoch else 0
    try:
        return await _registered(session, stream, base)
    except CentreSaid as said:
        if said.said != KNOWN:
            raise
    await stream.begin_epoch(COPIED_BACK)  # copied back from before an epoch that has begun since
    return await _registered(session, stream, base)


async def _registered(session: Session, stream: Stream, base: int) -> StreamState:
    """The epoch it has begins at the centre behind row `base`."""
    own = (await stream.hashes([base])).get(base, GENESIS if stream.name == LEDGER else b"")
    begin = BeginEpoch(
        stream=stream.name,
        epoch=stream.epoch,
        base=base,
        hash=own.hex(),
        why=COPIED_BACK,
        place=(await stream.places([base])).get(base),
    )
    state = await session.ask("POST", "/sync/v1/epoch", StreamState, body=begin)
    if state.epoch != stream.epoch:
        raise Unreachable("The centre did not take the new epoch.")
    return state


async def _last_common(session: Session, stream: Stream, there: StreamState) -> int:
    """The highest row that both have just the same, 0 when there is none.

    It is looked for in what the centre has: a row that never arrived says nothing about where the two part.
    """
    here = await stream.place()
    held = [*sorted(there.ranges[-RANGES_MAX:], reverse=True), (1, there.next - 1)]
    for first, last in held:
        found = await _search(session, stream, here, first, last)
        if found:
            return found
    return 0


async def _search(session: Session, stream: Stream, here: Place, first: int, last: int) -> int:
    low, high, best = max(first, here.first, 1), min(last, here.head), 0
    for _ in range(QUESTIONS_MAX):
        if low > high:
            break
        points = search_points(low, high)
        same = await _compare(session, stream, points)
        found, high = narrowed(points, same, high)
        if not found:
            break
        best, low = found, found + 1
    return best


async def _compare(session: Session, stream: Stream, points: Sequence[int]) -> list[bool]:
    """Of each point, whether the centre has that very row."""
    hashes = await stream.hashes(points)
    places = await stream.places(points)
    known = [point for point in points if point in hashes and (point in places or stream.name == LEDGER)]
    if not known:
        return [False] * len(points)
    asked = Compare(
        stream=stream.name,
        points=[(point, hashes[point].hex()) for point in known],
        places=[places[point] for point in known if point in places],
    )
    answer = await session.ask("POST", "/sync/v1/compare", Compared, body=asked)
    if len(answer.same) != len(known):
        raise Unreachable("The centre's comparison makes no sense.")
    said = dict(zip(known, answer.same, strict=True))
    return [said.get(point, False) for point in points]
