"""What becomes of facts, states and readings where they arrive: others keep their own tables by them, in the very
transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.sites.gate import HubCaller
from edge.wire.ledger import Fact
from edge.wire.sync import NumberRow, StateRow, TextRow


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


class StateWatch(Protocol):
    """Is told of states that have just been stored. Whether other readings are waited for now than before: then
    each instance that takes readings of this site hears of it before it takes more."""

    async def __call__(
        self, connection: AsyncConnection, site: HubCaller, rows: Sequence[StateRow], watched: int
    ) -> bool:
        """`watched` as ReadingsWatch has it. What it raises undoes the batch, as a Projection's does."""


class Arrived(msgspec.Struct, frozen=True):
    """Readings that have just been stored, of one epoch; `names` has device and key of each of the `series`."""

    epoch_no: int
    series: Collection[int]
    names: Mapping[int, tuple[str, str]]
    numbers: Sequence[NumberRow]
    texts: Sequence[TextRow]


class ReadingsWatch(Protocol):
    """Is told of readings. A site sends thousands at once: it looks at those alone that it waits for."""

    async def __call__(self, connection: AsyncConnection, site: HubCaller, arrived: Arrived, watched: int) -> None:
        """`watched` is another number whenever a StateWatch has said that others are waited for, 0 while none are.

        What it raises undoes the batch, as a Projection's does.
        """
