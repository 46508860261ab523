"""What becomes of facts where they arrive: others keep their own tables by them, in the very transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.sites.gate import HubCaller
from edge.wire.ledger import Fact


class Projection(Protocol):
    """Keeps tables by facts. cloud/service.py says which there are."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Facts that have just been stored, each once for good, in the order of the site's ledger.

        What it raises undoes the batch, which then comes again: so it takes facts it cannot use for what they are
        and goes on.
        """


class Preparation(Protocol):
    """Does what facts call for on a great many things that are here already, before they are stored."""

    async def __call__(self, site: HubCaller, facts: Sequence[Fact]) -> None:
        """Facts that are about to be stored, in their order; in short transactions of its own, so that nobody waits
        long behind them. Should the facts not be stored after all, they come again, and so does this."""


class EpochWatch(Protocol):
    """Is told of a site's new ledger epoch: the hub may have forgotten what it was handed under the old one."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, epoch: str) -> None:
        """In the transaction that begins `epoch`, before any fact of it is there."""
