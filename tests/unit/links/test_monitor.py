"""The raw monitor is bounded, and says what it shed."""

from __future__ import annotations

from edge.links.monitor import PIECES_MAX, Monitor


async def test_the_oldest_is_shed_and_counted():
    monitor = Monitor()
    for number in range(PIECES_MAX + 3):
        monitor.offer("rx", b"%05d" % number)
    monitor.close()
    pieces = [data async for _, data in monitor]
    assert pieces[0] == b"00003"
    assert len(pieces) == PIECES_MAX
    assert monitor.dropped_bytes == 15
