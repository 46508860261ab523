"""The centre at one look: for the status route, readiness and metrics."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path

from sqlalchemy import RowMapping

from cloud.accounts.member import Member
from cloud.api import status_store as sql
from cloud.db.database import Database
from cloud.sites.model import SiteFacts, SiteState, read_report, state_of, troubles_of
from edge import __version__
from edge.clock import Clock, iso
from edge.errors import StorageError
from edge.serving.metrics import Sample
from edge.wire.centre import CentreStatus

ANSWER_S = 3.0  # a database that takes longer for nothing does not answer
LOOK_EVERY_S = 1.0  # whoever asks whether it is ready, and how often, the database is asked no oftener
HEARD = (SiteState.LIVE, SiteState.CATCHING_UP)
FREE_BYTES_MIN = 200 * 1024 * 1024  # of the disk that the embedded database is on


class Status:
    """Counts and problems as they are now. `inbox_max`: how many items may wait for a site."""

    def __init__(self, name: str, database: Database, clock: Clock, *, inbox_max: int) -> None:
        self._name, self._db, self._clock, self._inbox_max = name, database, clock, inbox_max
        self._started = clock.now()
        self._looked_s, self._problems = float("-inf"), list[str]()
        self._looking = asyncio.Lock()

    async def view(self, member: Member) -> CentreStatus:
        """For a caller: what he reaches. Raises StorageError."""
        now_us = self._clock.now().at_us
        async with self._db.read() as connection:
            rows = await sql.sites(connection, member)
            full = await sql.inbox_full(connection, member, self._inbox_max)
            in_doubt = await sql.in_doubt(connection, member)
        sites = [_facts(row, full.get(row["id"], 0)) for row in rows]
        standing = [(site, state_of(site, now_us)) for site in sites]
        states = Counter(state for _, state in standing)
        told = [site.report for site, state in standing if site.report and state is not SiteState.REVOKED]
        heard = [site for site, state in standing if state in HEARD]
        problems = await self.problems()
        return CentreStatus(
            name=self._name,
            version=__version__,
            ready=not problems,
            problems=problems,
            started_at=iso(self._started.at_us),
            now=iso(now_us),
            database=self._db.engine_name,
            sites=len(sites),
            live=len(heard),
            away=states[SiteState.AWAY],
            refused=states[SiteState.REFUSED],
            troubled=sum(bool(troubles_of(site, now_us, self._inbox_max)) for site in sites),
            devices=sum(report.devices for report in told),
            online=sum(site.report.online for site in heard if site.report is not None),
            in_doubt=in_doubt,
            actor=member.actor,
            role=member.role.label,
        )

    async def problems(self) -> list[str]:
        """Why the centre is not ready, in sentences; empty when it is. At most LOOK_EVERY_S old."""
        async with self._looking:
            if self._clock.mono_s() - self._looked_s >= LOOK_EVERY_S:
                self._problems = await self._look()
                self._looked_s = self._clock.mono_s()
            return self._problems

    async def samples(self) -> list[Sample]:
        """For /metrics: of this instance."""
        uptime_s = (self._clock.now().mono_ms - self._started.mono_ms) / 1000
        ready = float(not await self.problems())
        version = f'{{version="{__version__}",database="{self._db.engine_name}"}}'
        return [
            Sample("build_info", "gauge", "Version of the centre.", {version: 1}),
            Sample("ready", "gauge", "Whether the centre is ready.", {"": ready}),
            Sample("uptime_seconds", "gauge", "Since this instance started.", {"": uptime_s}),
        ]

    async def _look(self) -> list[str]:
        try:
            async with asyncio.timeout(ANSWER_S), self._db.read() as connection:
                await sql.answers(connection)
        except (StorageError, TimeoutError):
            return ["The database does not answer."]
        if self._db.sqlite and self._db.url.database:
            folder = Path(self._db.url.database).parent
            if (await asyncio.to_thread(shutil.disk_usage, folder)).free < FREE_BYTES_MIN:
                return ["The disk is nearly full."]
        return []


def _facts(row: RowMapping, inbox_waiting: int) -> SiteFacts:
    """What is known of a site but how far behind it is, which is not counted here."""
    return SiteFacts(
        kept_as=row["state"],
        seen_us=row["seen_us"],
        alert=row["alert"],
        report=read_report(row["report"]),
        report_us=row["report_us"],
        streams=[],
        inbox_waiting=inbox_waiting,
    )
