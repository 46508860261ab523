"""Reset codes: how a person gets a new password where no mail is set up.

An administrator makes a code and gives it to the person, who types it into the app. It is good once, for an hour.
"""

from __future__ import annotations

from edge.access.accounts import store as sql
from edge.access.accounts.accounts import Accounts
from edge.access.accounts.model import RESET_S, NoSuchCode, User, clean_code, new_reset_code, passed_ms
from edge.access.model import hash_secret
from edge.clock import Clock
from edge.store.database import Database
from edge.store.transaction import Transaction

__all__ = ["NoSuchCode", "Resets"]


class Resets:
    """Makes and takes reset codes."""

    def __init__(self, database: Database, clock: Clock, accounts: Accounts) -> None:
        self._db, self._clock, self._accounts = database, clock, accounts

    async def make(self, user: User, *, actor: str) -> str:
        """A code for this user, shown this once; his earlier one is worth nothing any more."""
        code, now = new_reset_code(), self._clock.now()
        await self._db.write(lambda tx: sql.insert_reset(tx, user.id, hash_secret(code), now, actor))
        return code

    async def owner(self, code: str, address: str) -> User:
        """Whose code this is. Raises NoSuchCode, RateLimited for who guesses."""
        guess = f"reset code {address}"
        self._accounts.throttle.attempt(guess, address)
        digest = hash_secret(clean_code(code))
        found = await self._db.write(lambda tx: sql.find_reset(tx, digest))
        user = self._accounts.user_by_id(found[0]) if found else None
        if found is None or user is None or passed_ms(found[1], self._clock.now()) >= RESET_S * 1000:
            raise NoSuchCode("Invalid or used token")
        self._accounts.throttle.forgive(guess, address)
        return user

    async def use(self, code: str, password: str, address: str, *, field: str = "new_password") -> None:
        """Set a new password with a code. Raises as `owner` does, and WrongPart naming `field`."""
        user = await self.owner(code, address)
        digest = hash_secret(clean_code(code))

        def proof(tx: Transaction) -> None:
            if sql.find_reset(tx, digest) is None:  # a second use, while the first was hashing
                raise NoSuchCode("Invalid or used token")

        actor = f"{user.actor} by reset code"
        await self._accounts.set_password(user, password, actor=actor, field=field, proof=proof)
