"""Passwords: argon2id, in a thread, a few at a time.

A hash costs 19 MiB and some 40 ms of a desktop's core (parameters that OWASP names for argon2id), several times
that on a Pi. One is made at a time, so that logins take no more than one core and little memory, and nothing of the
event loop's time; who comes when too many wait is told to come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import argon2

from edge.errors import RateLimited

MEMORY_KIB = 19_456
PASSES = 2
LANES = 1
AT_ONCE = 1
WAITING = 32  # some 5 s of a Pi; a person has given up by then
FOR_LOGINS = 16  # places of these that nothing else takes: who is in already, or signs up, keeps nobody out
BUSY_S = 2.0  # when to come again

T = TypeVar("T")

_hasher = argon2.PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)


class Passwords:
    """Hashes and checks."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        """What is stored of a password. Raises RateLimited when too many wait."""
        return await self._in_turn(WAITING - FOR_LOGINS, _hash, password)

    async def verify(self, stored: str | None, password: str, *, inside: bool = False) -> bool:
        """Whether it is this password. None, for a user who does not exist, takes as long and is never right.

        `inside`: of somebody who is logged in already. Raises RateLimited when too many wait.
        """
        places = WAITING - FOR_LOGINS if inside else WAITING
        if not self._nobodys:
            self._nobodys = await self._in_turn(places, _hash, "nobody has this password")
        right = await self._in_turn(places, _verify, stored or self._nobodys, password)
        return right and stored is not None

    async def _in_turn(self, places: int, work: Callable[..., T], *args: str) -> T:
        if self._waiting >= places:
            raise RateLimited("Too many logins at once; try again in a moment.", retry_after_s=BUSY_S)
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work, *args)
        finally:
            self._waiting -= 1


def _hash(password: str) -> str:
    return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password.encode("utf-8", "surrogatepass"))
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
