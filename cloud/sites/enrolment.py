"""Enrolment: a hub shows the code that head office read out, and speaks for the site from then on.

The code is used up and the token made in one step, so a code opens one site to one hub. That hub may show it again
within its time, should the answer have been lost: it gets another token, and the one before is dead. A hub that
spoke for the site before is known no more.
"""

from __future__ import annotations

import asyncio
import secrets

from cloud.accounts.audit import record
from cloud.accounts.member import Member
from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.sites import site_store as sql
from cloud.sites.gate import SiteGate
from cloud.sites.model import read_code
from edge.access.model import hash_secret
from edge.clock import Clock
from edge.errors import BadInput, RateLimited, WrongCode
from edge.serving.limits import RateLimit
from edge.serving.roles import Role
from edge.wire.sync import Enrol, Enrolled

WRONG_PER_MINUTE = 20  # codes that one address may get wrong; each has 60 bits and a day
WRONG_OF_ALL = 1000  # a minute, by all addresses that had theirs; until then a right code is taken from them too
CHECKING = 2  # codes at once
TOKEN_BYTES = 32
ALL = ""  # every address that had its share
TEXT_CHARS = 200  # of each thing a hub says of itself


class Enrolment:
    """Hubs that enrol."""

    def __init__(self, database: Database, signals: Signals, gate: SiteGate, clock: Clock) -> None:
        self._db, self._signals, self._gate, self._clock = database, signals, gate, clock
        self._wrong = RateLimit(WRONG_PER_MINUTE, clock)
        self._wrong_of_all = RateLimit(WRONG_OF_ALL, clock)
        self._checking = asyncio.Semaphore(CHECKING)

    async def enrol(self, asked: Enrol, address: str) -> Enrolled:
        """Let a hub speak for the site of its code, and no other from now on.

        Raises WrongCode, alike for a code that is unknown, used elsewhere or too old; BadInput, RateLimited.
        """
        code = read_code(asked.code)
        _check(asked)
        async with self._checking:
            self._require(address)
            return await self._enrol(code, asked, address)

    async def _enrol(self, code: str, asked: Enrol, address: str) -> Enrolled:
        token, now_us = f"site_{secrets.token_urlsafe(TOKEN_BYTES)}", self._clock.now().at_us
        async with self._db.write() as connection:
            site = await sql.consume_code(
                connection,
                hash_secret(code),
                now_us,
                asked.place,
                token_hash=hash_secret(token),
                state="active",
                boot_id="",
                run="",
                version=asked.version,
                seen_us=now_us,
                alert="",
            )
            if site is not None:
                tenant = await sql.tenant_name(connection, site["tenant_id"])
                hub = Member(f"site:{site['slug']}", Role.NONE, tenant_id=site["tenant_id"])
                detail = {"hub": asked.name, "version": asked.version, "place": asked.place, "address": address}
                await record(
                    connection,
                    hub,
                    "site.enrolled",
                    at_us=now_us,
                    site_id=site["id"],
                    subject=site["slug"],
                    detail=detail,
                )
        if site is None:
            self._count(address)
            raise WrongCode()
        self._gate.forget(site["id"])
        self._signals.tell(f"inbox:{site['id']}")  # who waits there for the hub before asks again who he is
        return Enrolled(site=site["slug"], name=site["name"], tenant=tenant, token=token)

    def _require(self, address: str) -> None:
        """Raise RateLimited where the address had its share of wrong codes, and all of those together theirs."""
        try:
            self._wrong.require(address)
        except RateLimited:
            self._wrong_of_all.require(ALL)

    def _count(self, address: str) -> None:
        """Count a wrong code. Raises RateLimited where the address had its share."""
        try:
            self._wrong.take(address)
        except RateLimited:
            self._wrong_of_all.take(ALL)
            raise


def _check(asked: Enrol) -> None:
    """Raise BadInput for what no hub says of itself."""
    for field in ("place", "name", "version"):
        text = getattr(asked, field)
        if len(text) > TEXT_CHARS or not text.isprintable():
            raise BadInput(f"{field} is at most {TEXT_CHARS} printable characters.")
    if not asked.place:
        raise BadInput("A hub says where it is: `place`.")
