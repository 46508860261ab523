"""Passwords hashed at the least cost there is, in the process of the tests alone.

What runs in a process of its own hashes as its users' does: nothing outside this process can weaken it.
"""

from __future__ import annotations

import argon2

from edge.access.accounts import passwords

REAL = passwords._hasher
CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def use(hasher: argon2.PasswordHasher) -> None:
    """Hash with this one from now on."""
    passwords._hasher = hasher
