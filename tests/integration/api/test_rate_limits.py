"""Who asks too often is told to wait: by key, by address, and not to be talked out of it."""

from __future__ import annotations

import asyncio

import pytest

from edge.clock import ManualClock
from edge.errors import RateLimited
from edge.serving.addresses import network
from edge.serving.limits import CALLERS, RateLimit
from tests.integration.conftest import Start


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(start_hub: Start) -> None:
    async with start_hub(authenticated_per_minute=5) as hub:
        answers = [await hub.get("/v1/status", key="viewer") for _ in range(6)]
        assert [answer.status for answer in answers] == [200] * 5 + [429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
        assert (answers[-1].code, answers[-1].body["retryable"]) == ("rate-limited", True)
        assert (await hub.get("/v1/status", key="technician")).status == 200  # each key has its own
        for free in ("/healthz", "/readyz", "/v1/openapi.json"):
            assert (await hub.get(free, key="viewer")).status == 200


async def test_wrong_keys_count_against_the_address_whatever_it_says_of_itself(start_hub: Start) -> None:
    async with start_hub(anonymous_per_minute=10) as hub:
        statuses = []
        for number in range(15):
            forged = {
                "X_Forwarded_For": f"10.0.0.{number}",
                "Forwarded": f"for=10.0.0.{number}",
                "X_Real_IP": "1.2.3.4",
            }
            statuses.append((await hub.ask("GET", "/v1/status", key=f"guess-{number}", **forged)).status)
        assert statuses == [401] * 10 + [429] * 5
        nobody = await hub.get("/v1/status", key="")
        assert (nobody.status, int(nobody.headers["Retry-After"]) >= 1) == (429, True)
        assert (await hub.get("/v1/status")).status == 200  # a good key is not locked out by a guesser beside it


async def test_a_call_without_a_key_counts_once(start_hub: Start) -> None:
    async with start_hub(anonymous_per_minute=10) as hub:
        statuses = [(await hub.get("/v1/status", key="")).status for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2


async def test_a_key_that_people_chose_cannot_be_guessed_at_full_speed(start_hub: Start) -> None:
    async with start_hub(anonymous_per_minute=10) as hub:
        secret = "CHANGE-ME-2024"
        await hub.ask("POST", "/v1/keys", {"name": "old", "role": "app", "scope": "nic", "secret": secret})
        assert (await hub.get("/v1/status", key=secret)).status == 403
        for number in range(10):
            await hub.get("/v1/status", key=f"CHANGE-ME-20{number}")
        assert (await hub.get("/v1/status", key=secret)).status == 429


async def test_requests_at_the_same_moment_do_not_slip_through(start_hub: Start) -> None:
    async with start_hub(authenticated_per_minute=20) as hub:
        answers = await asyncio.gather(*(hub.get("/v1/status", key="viewer") for _ in range(60)))
        assert 20 <= sum(answer.status == 200 for answer in answers) <= 21


def test_the_bucket_fills_again_and_memory_stays_bounded() -> None:
    clock = ManualClock()
    limit = RateLimit(60, clock)
    for _ in range(60):
        limit.take("a")
    with pytest.raises(RateLimited) as told:
        limit.take("a")
    clock.advance(told.value.retry_after_s + 0.01)
    limit.take("a")
    for number in range(3 * CALLERS):
        limit.take(f"caller-{number}")
    assert len(limit._buckets) == CALLERS
    none = RateLimit(0, clock)
    none.take("b")
    with pytest.raises(RateLimited):
        none.take("b")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:0:1:2:3:4", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::1", "::2", True),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
    ],
)
def test_an_ipv6_host_is_one_caller_with_all_its_addresses(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same
