"""What people ask of their things at a site: brought to its hub, which does it as them, and the answer back.

A request is on its way for seconds and is gone then; it is no item of the inbox and no fact. It is handed out once,
to one question of one hub, so that nothing is done twice: where no answer comes, nobody knows whether it was done,
and that is said. Hub and person may speak with different instances, so the table is where they meet.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping

import msgspec
from aiohttp import web
from sqlalchemy import RowMapping

from cloud.db.database import Database
from cloud.db.signals import Signals
from cloud.sites.gate import HubCaller
from cloud.sync import visits_store as sql
from cloud.sync.door import Door, HubCall
from edge.clock import Clock
from edge.errors import Busy, OutpostError, StorageError
from edge.wire.asked import ANSWER_CHARS, ASKED_MAX, Answered, Asked
from edge.wire.sync import Heard

log = logging.getLogger(__name__)

WAIT_S = 10.0  # for the hub's answer; an app has given up by then
LOOK_S = 1.0  # a signal may be lost: whoever waits looks anyway
OPEN_MAX = 200  # on their way to one site
KEPT_S = 60.0  # behind its time, one that an instance left behind when it was killed
SWEEP_S = 20.0
BAD_GATEWAY = 502
UNREADABLE = '{"detail":"Its hub answered what cannot be read; look whether it was done."}'
BODY_MAX = 4 * ANSWER_CHARS  # of an answer on its way: JSON in JSON, four bytes a character


class NotAsked(OutpostError):
    """The hub did not fetch the request in time: nothing was done."""

    code = "site-away"
    status = 503
    retryable = True


class NoAnswer(OutpostError):
    """The hub has the request, and did not answer in time: it may have been done or not."""

    code = "no-answer"
    status = 504


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. `person` as hubs know him."""

    person: str
    method: str
    path: str
    query: Mapping[str, str] = {}
    body: str = ""


class Visits:
    """Those of all sites."""

    def __init__(self, database: Database, signals: Signals, clock: Clock) -> None:
        self._db, self._signals, self._clock = database, signals, clock

    async def ask(self, tenant_id: int, site_id: int, request: Request, *, wait_s: float = WAIT_S) -> Answered:
        """What the hub of a site answers. Raises Busy, NotAsked, NoAnswer."""
        visit, now_us = f"v_{secrets.token_hex(8)}", self._clock.now().at_us
        async with self._db.write() as connection:
            if await sql.open_at(connection, tenant_id, site_id, now_us) >= OPEN_MAX:
                raise Busy("Too much is asked of this site at once.")
            await sql.insert_visit(
                connection,
                tenant_id=tenant_id,
                site_id=site_id,
                id=visit,
                person=request.person,
                method=request.method,
                path=request.path,
                query=msgspec.json.encode(dict(request.query)).decode(),
                body=request.body,
                expires_us=now_us + int(wait_s * 1_000_000),
            )
        self._signals.tell(f"inbox:{site_id}")
        await self._wait(tenant_id, site_id, visit, wait_s)
        async with self._db.write() as connection:
            row = await sql.drop(connection, tenant_id, site_id, visit)
        return _judged(visit, row)

    async def _wait(self, tenant_id: int, site_id: int, visit: str, wait_s: float) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + wait_s
        with self._signals.watch(f"visits:{site_id}") as watch:
            while (left_s := until_s - loop.time()) > 0 and not self._signals.ended:
                async with self._db.read() as connection:
                    row = await sql.look(connection, tenant_id, site_id, visit)
                if row is None or row["status"]:
                    return
                await watch.wait(min(left_s, LOOK_S))

    # --- for hubs

    async def hand_out(self, caller: HubCaller) -> list[Asked]:
        """What is asked of this hub and was not handed out yet."""
        now_us = self._clock.now().at_us
        async with self._db.read() as connection:
            if not await sql.waits(connection, caller.tenant_id, caller.site_id, now_us):
                return []
        async with self._db.write() as connection:
            rows = await sql.hand_out(connection, caller.tenant_id, caller.site_id, now_us, ASKED_MAX)
        return [_asked(row, now_us) for row in rows]

    def paths(self, door: Door) -> list[web.RouteDef]:
        """The one path."""
        return [web.post("/sync/v1/answers", door.opens(self.answered, most=BODY_MAX))]

    async def answered(self, call: HubCall) -> Heard:
        """POST /sync/v1/answers."""
        said = call.read(Answered)
        status, body = (said.status, said.body) if _is_readable(said) else (BAD_GATEWAY, UNREADABLE)
        async with self._db.write() as connection:
            waited_for = await sql.answer(
                connection,
                call.site.tenant_id,
                call.site.site_id,
                said.id,
                status=status,
                known=said.known,
                text=body.replace("\0", ""),
            )
        if waited_for:
            self._signals.tell(f"visits:{call.site.site_id}")
        return Heard(at_us=self._clock.now().at_us)

    async def run(self) -> None:
        """Forget what was left behind, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                async with self._db.write() as connection:
                    await sql.drop_old(connection, self._clock.now().at_us - int(KEPT_S * 1_000_000))
            except StorageError as error:
                log.warning("old requests of people are not forgotten yet: %s", error)


def _is_readable(said: Answered) -> bool:
    """Whether it is an answer that can be passed on: JSON or nothing, and not the way to somewhere else."""
    try:
        if said.body:
            msgspec.json.decode(said.body)
    except (ValueError, RecursionError):
        return False
    return 200 <= said.status < 300 or 400 <= said.status < 600


def _asked(row: RowMapping, now_us: int) -> Asked:
    return Asked(
        id=row["id"],
        person=row["person"],
        method=row["method"],
        path=row["path"],
        query=msgspec.json.decode(row["query"], type=dict[str, str]),
        body=row["body"],
        left_ms=max(0, row["expires_us"] - now_us) // 1000,
    )


def _judged(visit: str, row: RowMapping | None) -> Answered:
    if row is not None and row["status"]:
        return Answered(id=visit, status=row["status"], body=row["answer"], known=row["known"])
    if row is not None and row["handed_us"] is None:
        raise NotAsked("Its hub does not fetch what it is asked; nothing was done.")
    raise NoAnswer("Its hub did not answer in time; look whether it was done before you ask again.")
