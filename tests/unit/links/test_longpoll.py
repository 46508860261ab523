"""The mailbox of a device that polls: what certainly did not leave, what may have arrived, what is asked again."""

from __future__ import annotations

import asyncio

import pytest

from edge.links import longpoll
from edge.links.longpoll import Mailbox, Pace, Parcel
from edge.wire.native import Result
from edge.wire.orders import Order, Outcome, Verdict

ORDER = Order(id="c-1", seq=4, kind="vend", ttl_ms=60_000, args={"slot": 2})
OK = Result(id="c-1", seq=4, ok=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, in less time."""
    monkeypatch.setattr(longpoll, "PICKUP_S", 0.1)
    monkeypatch.setattr(longpoll, "AGAIN_S", 0.05)
    monkeypatch.setattr(longpoll, "GRACE_S", 0.1)


def delivering(mailbox: Mailbox, order: Order = ORDER) -> asyncio.Task[Outcome]:
    return asyncio.create_task(mailbox.deliver(order))


async def taken(mailbox: Mailbox) -> Parcel:
    """A poll that waits until it gets something."""
    parcel = await mailbox.hold(5.0)
    assert parcel is not None
    return parcel


async def test_a_held_poll_gets_the_order_and_the_result_ends_it() -> None:
    mailbox = Mailbox()
    poll = asyncio.create_task(taken(mailbox))
    await asyncio.sleep(0)
    assert mailbox.held
    delivery = delivering(mailbox)
    parcel = await poll
    assert parcel.order is ORDER
    assert 59_000 < parcel.ttl_ms <= 60_000
    parcel.left()
    assert mailbox.answered(OK)
    assert (await delivery).verdict is Verdict.DONE
    assert not mailbox.answered(OK)


async def test_when_nobody_polls_it_was_certainly_not_sent() -> None:
    assert (await Mailbox().deliver(ORDER)).verdict is Verdict.NOT_SENT


async def test_a_poll_whose_connection_is_gone_gives_it_back_and_the_next_takes_it() -> None:
    mailbox = Mailbox()
    delivery = delivering(mailbox)
    (await taken(mailbox)).back()
    (await taken(mailbox)).left()
    mailbox.answered(OK)
    assert (await delivery).verdict is Verdict.DONE
    delivery = delivering(mailbox)
    (await taken(mailbox)).back()
    assert (await delivery).verdict is Verdict.NOT_SENT


async def test_a_poll_that_is_cut_down_with_the_order_in_its_hands_gives_it_back() -> None:
    mailbox = Mailbox()
    poll = asyncio.create_task(mailbox.hold(5.0))
    await asyncio.sleep(0)
    delivery = delivering(mailbox)
    await asyncio.sleep(0)
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    assert (await delivery).verdict is Verdict.NOT_SENT


async def test_once_it_left_and_no_word_came_nobody_knows() -> None:
    mailbox = Mailbox()
    delivery = delivering(mailbox, Order(id="c-1", seq=4, kind="vend", ttl_ms=150))
    (await taken(mailbox)).left()
    assert (await delivery).verdict is Verdict.UNKNOWN


async def test_a_result_that_stays_out_is_asked_for_again_with_the_same_number() -> None:
    mailbox = Mailbox()
    delivery = delivering(mailbox)
    for _ in range(3):
        parcel = await taken(mailbox)
        assert (parcel.order.id, parcel.order.seq) == ("c-1", 4)
        parcel.left()
    mailbox.answered(Result(id="c-1", seq=4, ok=True, repeated=True))
    outcome = await delivery
    assert (outcome.verdict, outcome.repeated) == (Verdict.DONE, True)


async def test_a_result_within_the_grace_counts() -> None:
    mailbox = Mailbox()
    delivery = delivering(mailbox, Order(id="c-1", seq=4, kind="vend", ttl_ms=60))
    (await taken(mailbox)).left()
    await asyncio.sleep(0.1)
    mailbox.answered(OK)
    assert (await delivery).verdict is Verdict.DONE


@pytest.mark.parametrize("result", [Result(id="c-2", seq=4, ok=True), Result(id="c-1", seq=5, ok=True)])
async def test_another_commands_result_is_not_its_own(result: Result) -> None:
    mailbox = Mailbox()
    delivery = delivering(mailbox)
    (await taken(mailbox)).left()
    assert not mailbox.answered(result)
    assert mailbox.answered(OK)
    assert (await delivery).verdict is Verdict.DONE


async def test_a_poll_comes_back_with_nothing_after_its_time_or_for_a_newer_one() -> None:
    mailbox = Mailbox()
    assert await mailbox.hold(0.01) is None
    assert not mailbox.held
    older = asyncio.create_task(mailbox.hold(5.0))
    await asyncio.sleep(0)
    newer = asyncio.create_task(mailbox.hold(5.0))
    assert await older is None
    mailbox.release()
    assert await newer is None


async def test_what_the_device_cannot_know_is_in_doubt() -> None:
    mailbox = Mailbox()
    delivery = delivering(mailbox)
    (await taken(mailbox)).left()
    mailbox.answered(Result(id="c-1", seq=4, ok=False, err="in_doubt"))
    assert (await delivery).verdict is Verdict.IN_DOUBT


def test_how_long_a_poll_is_held() -> None:
    pace = Pace(25.0)
    assert pace.hold_s(100, expecting=False) == 25.0
    assert pace.hold_s(-3, expecting=False) == 0.0
    assert pace.hold_s(0, expecting=True) == 1.0
