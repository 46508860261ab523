"""How much comes in: what has time stands back while it is very much."""

from __future__ import annotations

from cloud.sync.traffic import BUSY_ROWS, OVER_S, Traffic


def test_it_is_busy_while_very_much_comes_and_a_little_after() -> None:
    now_s = [100.0]
    traffic = Traffic(lambda: now_s[0])
    assert not traffic.is_busy
    traffic.came(BUSY_ROWS)
    assert traffic.is_busy
    now_s[0] += OVER_S
    assert traffic.is_busy
    now_s[0] += OVER_S
    assert not traffic.is_busy


def test_many_that_are_live_are_not_very_much() -> None:
    now_s = [100.0]
    traffic = Traffic(lambda: now_s[0])
    for _ in range(100):
        traffic.came(BUSY_ROWS // 100)
        now_s[0] += OVER_S / 10
        assert not traffic.is_busy
