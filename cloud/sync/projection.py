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


class EpochWatch(Protocol):
    """Is told of a site's new ledger epoch: the hub may have forgotten what it was handed under the old one."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, epoch: str) -> None:
        """In the transaction that begins `epoch`, before any fact of it is there."""
