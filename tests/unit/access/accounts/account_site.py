"""Accounts over a real database with a clock moved by hand."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from edge.access.accounts.accounts import Accounts
from edge.access.accounts.model import SignUp, User
from edge.access.accounts.passwords import Passwords
from edge.access.accounts.resets import Resets
from edge.bus import Bus
from edge.clock import ManualClock
from edge.store.database import Store

GOOD = "Passw0rd"
HERE, THERE = "192.0.2.1", "192.0.2.2"


class AccountSite:
    """One running hub's accounts; opened again on the same files it is a restart of the hub."""

    def __init__(self, directory: Path, clock: ManualClock, policy: SignUp = SignUp.OPEN) -> None:
        self.clock, self.bus = clock, Bus()
        self.store = Store(directory, self.bus, clock, free_floor_mb=1, ballast_mb=0)
        self.accounts = Accounts(self.store.hub, self.bus, clock, Passwords(), sign_up=policy)
        self.resets = Resets(self.store.hub, clock, self.accounts)

    async def user(self, name: str = "ann") -> User:
        """An account that may log in."""
        return await self.accounts.add(f"{name}@example.com", name, GOOD, actor="test")

    async def facts(self) -> list[tuple[str, str, str]]:
        """Kind, subject and body of every fact."""
        rows = await self.store.hub.read("SELECT kind, subject, body FROM ledger ORDER BY seq")
        return [(row[0], row[1], row[2]) for row in rows]


@contextlib.asynccontextmanager
async def account_site(
    directory: Path, clock: ManualClock | None = None, policy: SignUp = SignUp.OPEN
) -> AsyncIterator[AccountSite]:
    """A site that is open."""
    site = AccountSite(directory, clock or ManualClock(), policy)
    await site.store.open()
    try:
        await site.accounts.start()
        yield site
    finally:
        await site.store.close()
