"""Whose signatures are trusted here: public keys, by name."""

from __future__ import annotations

import asyncio

from edge.clock import Clock
from edge.errors import BadInput, Conflict, NotFound
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.updates.artifacts import store as sql
from edge.updates.artifacts.events import FirmwareKeysChanged
from edge.updates.artifacts.model import TrustedKey
from edge.updates.examining import Trusted
from edge.updates.signing.keys import PublicKey, public_from

KEYS_MAX = 16
NAME_CHARS = 64


class TrustedKeys:
    """All of them, in memory."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock
        self._all: dict[str, TrustedKey] = {}
        self._changing = asyncio.Lock()

    async def start(self) -> None:
        """Load them."""
        await self._load()

    def all(self) -> list[TrustedKey]:
        """Everybody who is trusted."""
        return list(self._all.values())

    def has(self, key_id: str) -> bool:
        """Whether a key is trusted."""
        return key_id in self._all

    def name_of(self, key_id: str) -> str:
        """Whose it is; the id of one that is not trusted."""
        return self._all[key_id].name if key_id in self._all else key_id

    def trusted(self) -> list[Trusted]:
        """The same as the checks want it."""
        return [Trusted(one.name, PublicKey(one.modulus)) for one in self._all.values()]

    async def add(self, name: str, pem: str, *, actor: str) -> TrustedKey:
        """Trust somebody by his public key in PEM; the same key under the same name again is the one there is.

        Raises BadInput, Conflict.
        """
        if not 1 <= len(name) <= NAME_CHARS or not name.isprintable() or name != name.strip():
            raise BadInput(f"A key needs a name of 1 to {NAME_CHARS} printable characters.")
        public = public_from(pem.encode())
        async with self._changing:
            if (there := self._all.get(public.id)) is not None:
                if there.name == name:
                    return there
                raise Conflict(f"This key is trusted already, as {there.name!r}.")
            if any(one.name == name for one in self._all.values()):
                raise Conflict(f"Another key has the name {name!r}.")
            if len(self._all) >= KEYS_MAX:
                raise Conflict(f"{KEYS_MAX} keys are trusted, more than anybody can watch over.")
            new = TrustedKey(public.id, name, public.modulus, self._clock.now().at_us, actor)

            def work(tx: Transaction) -> None:
                sql.trust(tx, new)
                tx.tell(FirmwareKeysChanged())

            await self._db.write(work)
            await self._load()
        return new

    async def remove(self, key: str, *, actor: str) -> None:
        """Trust somebody no more, by id or name; what he alone signed is offered to nobody from now on.

        Raises NotFound.
        """
        async with self._changing:
            found = next((one for one in self._all.values() if key in (one.id, one.name)), None)
            if found is None:
                raise NotFound(f"No key {key[:NAME_CHARS]!r} is trusted.", hint="`outpost firmware trust list`.")

            def work(tx: Transaction) -> None:
                sql.distrust(tx, found, actor)
                tx.tell(FirmwareKeysChanged())

            await self._db.write(work)
            await self._load()

    async def _load(self) -> None:
        self._all = {one.id: one for one in await self._db.write(sql.keys)}
