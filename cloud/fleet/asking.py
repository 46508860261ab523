"""Asking a site's hub for what is no command: it waits in the inbox, and what came of it is waited for."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.fleet.lookup import Place
from cloud.sync.inbox import Inbox, Step
from edge.clock import Clock
from edge.errors import (
    BadInput,
    BadPicture,
    Busy,
    Conflict,
    DeviceUnavailable,
    NotFound,
    NotSeated,
    OutpostError,
    Rejected,
    TooLarge,
)

LOOK_S = 1.0  # a signal may be lost: whoever waits looks anyway
CONFIRM_S = 5.0  # how long an answer is held back for the hub's word
_ERRORS = {
    kind.code: kind
    for kind in (BadInput, BadPicture, TooLarge, Rejected, NotFound, Conflict, DeviceUnavailable, Busy, NotSeated)
}


class Asking:
    """Puts questions into inboxes."""

    def __init__(self, database: Database, signals: Signals, clock: Clock, inbox: Inbox) -> None:
        self._db, self._signals, self._clock, self._inbox = database, signals, clock, inbox

    async def ask(
        self,
        member: Member,
        place: Place,
        kind: str,
        body: Mapping[str, Any],
        *,
        wait_s: float = CONFIRM_S,
        ttl_s: float | None = None,
        audit: str = "",
        subject: str = "",
        detail: Mapping[str, Any] | None = None,
    ) -> str | None:
        """Let the site's hub do it, and wait up to `wait_s` for its word: what it tells of it, None without a word.

        It stays asked for where its hub is away, which is not waited for. Raises what the hub said against it, and
        Busy or Conflict when it cannot be asked.
        """
        now_us, item_id = self._clock.now().at_us, f"ask_{secrets.token_hex(8)}"
        expires_us = None if ttl_s is None else now_us + int(ttl_s * 1_000_000)
        async with self._db.write() as connection:
            site = await self._inbox.lock(connection, place.site_id)
            await self._inbox.put(
                connection, site, kind, body, item_id=item_id, actor=member.actor, expires_us=expires_us
            )
            if audit:
                at = {"at_us": now_us, "site_id": place.site_id}
                await record(connection, member, audit, **at, subject=subject, detail=detail)
        self._inbox.tell(place.site_id)
        return await self.hear(place, item_id, wait_s=wait_s)

    async def hear(self, place: Place, item_id: str, *, wait_s: float = CONFIRM_S) -> str | None:
        """The hub's word on an item, as `ask`; one that is away is not waited for. Raises what it said instead."""
        if place.stale(self._clock.now().at_us):
            return None
        loop = asyncio.get_running_loop()
        until_s = loop.time() + wait_s
        with self._signals.watch(f"facts:{place.tenant_id}") as watch:
            while True:
                row = await self._inbox.outcome(place.tenant_id, place.site_id, item_id)
                if row is not None and row["outcome"]:
                    return _judged(row["outcome"], row["code"], row["detail"])
                left_s = until_s - loop.time()
                if left_s <= 0 or self._signals.ended:
                    return None
                await watch.wait(min(left_s, LOOK_S))


def _judged(outcome: str, code: str, detail: str) -> str:
    """What is told of what was done. Raises what the hub said instead."""
    if outcome == Step.APPLIED:
        return detail
    kind: type[OutpostError] = _ERRORS.get(code, Conflict)
    raise kind(detail or "Its hub would not do it.")
