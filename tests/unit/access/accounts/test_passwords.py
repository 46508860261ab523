"""Hashing: argon2id, out of the event loop, bounded; who does not exist takes as long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from edge.access.accounts import passwords
from edge.access.accounts.passwords import Passwords
from edge.errors import RateLimited
from tests import hashing


@pytest.fixture(autouse=True)
def _as_for_users() -> Iterator[None]:
    """The hasher of production, which all other tests do without."""
    hashing.use(hashing.REAL)
    yield
    hashing.use(hashing.CHEAP)


async def test_a_hash_is_argon2id_with_stated_parameters_and_never_the_same_twice() -> None:
    keeper = Passwords()
    first, second = await keeper.hash("Passw0rd"), await keeper.hash("Passw0rd")
    assert first.startswith(f"$argon2id$v=19$m={passwords.MEMORY_KIB},t={passwords.PASSES},p={passwords.LANES}$")
    assert first != second
    assert await keeper.verify(first, "Passw0rd")
    assert not await keeper.verify(first, "passw0rd")
    assert not await keeper.verify("no hash at all", "Passw0rd")


async def test_a_user_who_does_not_exist_takes_as_long_and_is_never_right() -> None:
    keeper = Passwords()
    stored = await keeper.hash("Passw0rd")
    await keeper.verify(None, "nobody has this password")

    async def cost(of: str | None) -> float:
        began = time.process_time()
        assert not await keeper.verify(of, "Wr0ng-one")
        return time.process_time() - began

    known = min([await cost(stored) for _ in range(3)])
    unknown = min([await cost(None) for _ in range(3)])
    assert unknown > known / 3
    assert not await keeper.verify(None, "nobody has this password")


async def test_hashing_leaves_the_event_loop_its_turns() -> None:
    keeper = Passwords()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    await asyncio.gather(*(keeper.hash("Passw0rd") for _ in range(4)))
    counting.cancel()
    assert turns > 100


async def test_more_than_can_wait_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "WAITING", 4)
    monkeypatch.setattr(passwords, "FOR_LOGINS", 2)
    keeper = Passwords()
    stored = await keeper.hash("Passw0rd")
    await keeper.verify(None, "")

    async def refused(*asked: Coroutine[Any, Any, object]) -> list[bool]:
        results = await asyncio.gather(*asked, return_exceptions=True)
        return [isinstance(result, RateLimited) for result in results]

    assert await refused(*(keeper.verify(stored, "Passw0rd") for _ in range(5))) == [False] * 4 + [True]
    others = [keeper.hash("Passw0rd"), *(keeper.verify(stored, "Passw0rd", inside=True) for _ in range(2))]
    logins = [keeper.verify(stored, "Passw0rd") for _ in range(3)]
    assert await refused(*others, *logins) == [False, False, True, False, False, True]
    await keeper.hash("Passw0rd")


@pytest.mark.parametrize("password", ["", "\x00", "\ud800", "ü" * 1000])
async def test_any_text_is_hashed_and_checked(password: str) -> None:
    keeper = Passwords()
    assert not await keeper.verify(None, password)
