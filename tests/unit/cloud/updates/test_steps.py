"""What a hub's word of a device changes at head office, and for how long an order is good."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud.updates.steps import LATE, good_until_us, heard
from edge.wire.updates import BAD, GOOD, Step

LYON = ZoneInfo("Europe/Paris")
HOUR_S = 3600


@pytest.mark.parametrize(
    ("now", "told", "led_to"),
    [
        (Step.OFFERED, Step.TESTING, Step.TESTING),
        (Step.TESTING, Step.ROLLED_BACK, Step.ROLLED_BACK),
        (Step.OFFERED, Step.ALREADY, Step.ALREADY),
        (Step.FAILED, Step.OFFERED, Step.OFFERED),  # its hub tries again, or a person does
        (Step.TIMED_OUT, Step.ROLLED_BACK, Step.ROLLED_BACK),
        (Step.WITHDRAWN, Step.CONFIRMED, Step.CONFIRMED),
    ],
)
def test_the_last_word_counts(now: Step, told: Step, led_to: Step) -> None:
    assert heard(now, told, "why") == (led_to, "why")


def test_what_is_no_news_changes_nothing() -> None:
    for now in GOOD:
        assert all(heard(now, told, "") is None for told in Step)
    for now in BAD:
        assert heard(now, Step.WITHDRAWN, "") is None
    for now in Step:
        assert heard(now, Step.WAITING, "") is None
        assert now is Step.ROLLED_BACK or heard(now, now, "") is None
    assert heard(Step.ROLLED_BACK, Step.ROLLED_BACK, "watchdog") == (Step.ROLLED_BACK, "watchdog"), (
        "now it says why"
    )


def test_who_was_given_up_and_comes_back_is_counted_so() -> None:
    assert heard(Step.TIMED_OUT, Step.CONFIRMED, "") == (Step.CONFIRMED, LATE)
    assert heard(Step.TIMED_OUT, Step.ALREADY, "") == (Step.CONFIRMED, LATE)


def us(text: str) -> int:
    """A moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


def test_an_order_is_good_for_as_long_as_its_window_is_open() -> None:
    noon = us("2026-11-21T12:00:00")
    assert good_until_us(noon, HOUR_S, "", LYON) == us("2026-11-21T13:00:00")
    # 22:00 to 05:00 in Lyon is 21:00 to 04:00 in UTC
    assert good_until_us(noon, HOUR_S, "22:00-05:00", LYON) == us("2026-11-21T22:00:00")
    assert good_until_us(us("2026-11-22T03:30:00"), HOUR_S, "22:00-05:00", LYON) == us("2026-11-22T21:30:00")
    # an hour that the night of the change skips does not open in it
    assert good_until_us(us("2026-03-28T12:00:00"), HOUR_S, "02:00-03:00", LYON) == us("2026-03-30T01:00:00")
    rare = good_until_us(noon, 30 * 24 * HOUR_S, "02:00-02:01", LYON)
    assert noon < rare <= noon + 91 * 24 * HOUR_S * 1_000_000, "never for ever"
