"""The uplink: says hello, runs the lanes of a session, and begins again for ever, whatever the line and centre do.

Nothing here is awaited by the site's own work: a centre that is away, mad or hostile costs the hub a bounded amount
of memory and time, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random, wait_random_exponential

from edge import __version__
from edge.bus import Bus, Event
from edge.clock import Clock
from edge.errors import OutpostError, StorageError, Unreachable
from edge.settings import Settings
from edge.store.transaction import Transaction
from edge.sync import store
from edge.sync.client import CentreSaid, Client, as_json
from edge.sync.enrolment import MISSING, MISSING_HINT, Enrolments
from edge.sync.ledger_lane import LedgerLane
from edge.sync.model import State, Verdict, judge
from edge.sync.readings_lane import ReadingsLane
from edge.sync.session import Lane, Session
from edge.sync.store import Enrolment
from edge.sync.streams import LedgerStream, ReadingsStream, TooManyEpochs
from edge.wire.sync import MIN_PROTOCOL, PROTOCOL, Heard, Hello, Welcome

log = logging.getLogger(__name__)

WAIT_BASE_S, WAIT_GROWTH, WAIT_MAX_S = 0.5, 1.5, 30.0  # so a wait is about as long as the outage has been
REFUSED_S = 60.0  # a person has to do something; he may have done it
STEADY_S = 10.0  # a session that lasted so long was none of a failing series
ROUTE_LOOK_S = 2.0  # how soon a line that has come back is noticed while waiting
ROUTES = Path("/proc/net/route"), Path("/proc/net/ipv6_route")
BYE_S = 2.0
DISK_S = 5.0  # a full disk does not empty in a second


class SyncChanged(Event, frozen=True):
    """Syncing stands otherwise than before."""


class SyncFault(OutpostError):
    """Syncing failed in a way that was not foreseen; the log says how."""

    code = "sync-fault"
    retryable = True


class Timezone(Protocol):
    """The site's zone."""

    @property
    def key(self) -> str:
        """Its IANA name."""


class Uplink:
    """`state`, `problem` and `hint` are how it stands; `lanes` may be added to before it runs."""

    def __init__(
        self,
        enrolments: Enrolments,
        ledger: LedgerLane,
        readings: ReadingsLane,
        streams: tuple[LedgerStream, ReadingsStream],
        bus: Bus,
        clock: Clock,
        settings: Settings,
        zone: Timezone,
    ) -> None:
        self._enrolments, self._ledger, self._readings = enrolments, ledger, readings
        self._ledger_stream, self._readings_stream = streams
        self._bus, self._clock, self._settings, self._zone = bus, clock, settings, zone
        self._run = secrets.token_hex(8)
        self.session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._recalled: Enrolment | None = None
        self._anew = False
        self._changed = asyncio.Event()  # the enrolment, or somebody says to try at once
        self.lanes: list[Lane] = []
        self.state, self.problem, self.hint = State.OFF, "", ""
        self.since_us: int | None = None
        self.contact_us: int | None = None
        self.protocol = 0
        self.caught_up: Callable[[], bool] = lambda: False
        enrolments.on_change(self._enrolment_changed)

    async def run(self) -> None:
        """Sync until cancelled."""
        try:
            await self._open()
            while not self._stopped:
                self._changed.clear()
                self._task = asyncio.create_task(self._sync(), name="sync-session")
                changed = asyncio.create_task(self._changed.wait(), name="sync-enrolment")
                try:
                    await asyncio.wait((self._task, changed), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    changed.cancel()
                await _ended(self._task)
            await asyncio.Event().wait()
        finally:
            await _ended(self._task)
            await self._close()

    async def stop(self) -> None:
        """End the session, tell the centre so, and note what it has."""
        current, session = self._enrolments.current, self.session
        self._stopped = True
        await _ended(self._task)
        if current is not None:
            await self._note(current)
            if session is not None:
                await self._bye(current, session)

    def look(self) -> None:
        """Tell, when syncing stands otherwise than it last did: live or catching up."""
        if self.session is not None:
            self._stands(State.LIVE if self.caught_up() else State.CATCHING_UP)

    async def _open(self) -> None:
        """Open what the streams read; a disk in trouble is waited out."""
        while True:
            try:
                await self._ledger_stream.open()
                await self._readings_stream.open()
                return
            except StorageError:
                log.warning("syncing cannot begin; it is tried again", exc_info=True)
                await self._close()
                await asyncio.sleep(DISK_S)

    async def _close(self) -> None:
        await self._ledger_stream.close()
        await self._readings_stream.close()

    async def _sync(self) -> None:
        current = self._enrolments.current
        if current is None:
            self._stands(State.OFF)
            await asyncio.Event().wait()
            return
        if self._enrolments.missing:
            self._stands(State.REFUSED, MISSING, MISSING_HINT)
            await asyncio.Event().wait()
        while True:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(OutpostError), wait=self._wait_s, sleep=self._sleep
            ):
                with attempt:
                    await self._converse(current)
            await asyncio.sleep(secrets.randbelow(1000) / 1000)  # a fleet does not come back all at once

    async def _converse(self, current: Enrolment) -> None:
        """One session from hello to its end. Raises OutpostError when it failed early or the centre
        said when to come again, else returns."""
        if self.state is State.OFF:
            self._stands(State.CONNECTING)
        steady_s = self._clock.mono_s() + STEADY_S
        error: OutpostError | None = None
        try:
            await self._alone(current)
        except* OutpostError as errors:
            error = _first(errors)
        except* Exception:  # the task's edge: whatever a centre sends, the site goes on
            log.exception("syncing failed in a way that was not foreseen; it begins anew")
            error = SyncFault()
        if error is not None:
            self._failed(error)
            sent_away = isinstance(error, CentreSaid) and error.retry_after_s is not None
            if sent_away or self._clock.mono_s() < steady_s:
                raise error
        await self._note(current)

    async def _alone(self, current: Enrolment) -> None:
        """One session in a task of its own: on Python 3.11 a task group that ends by an error swallows a
        cancellation that comes at that moment, and leaves its task counted as cancelled where none came."""
        task = asyncio.create_task(self._one_session(current), name="sync-conversation")
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):  # a fault of its own, at the moment it is ended anyway
                await _ended(task)
            raise
        finally:
            self.session = None
        task.result()

    async def _one_session(self, current: Enrolment) -> None:
        async with Client(current.url, self._settings.sync.ca_file) as client:
            await self._recall(current)
            session = await self._hello(client, current)
            await self._work(session)

    async def _hello(self, client: Client, current: Enrolment) -> Session:
        now = self._clock.now()
        inbox = await self._ledger_stream.database.write(lambda tx: store.cursor(tx, current.site, store.INBOX))
        hello = Hello(
            protocol=PROTOCOL,
            min_protocol=MIN_PROTOCOL,
            version=__version__,
            place=self._enrolments.place,
            boot_id=now.boot_id,
            run=self._run,
            name=self._settings.site.name,
            timezone=self._zone.key,
            at_us=now.at_us,
            quality=now.quality.value,
            ledger=await self._ledger_stream.told(),
            readings=await self._readings_stream.told(),
            inbox=inbox,
        )
        token = self._enrolments.token
        headers = {"Authorization": f"Bearer {token}"}
        welcome = await client.ask("POST", "/sync/v1/hello", Welcome, body=as_json(hello), headers=headers)
        if not MIN_PROTOCOL <= welcome.protocol <= PROTOCOL:
            raise CentreSaid(
                f"The centre speaks protocol {welcome.protocol}, this hub {MIN_PROTOCOL} to {PROTOCOL}.",
                said="protocol",
                said_status=409,
                hint="Update the older of the two.",
            )
        self.protocol, self.contact_us = welcome.protocol, now.at_us
        welcome = msgspec.structs.replace(welcome, site=current.site)
        return Session(client, token, welcome, self._heard)

    async def _work(self, session: Session) -> None:
        """Reconcile and run the lanes; state goes ahead of all."""
        async with asyncio.TaskGroup() as group:
            for lane in self.lanes:
                group.create_task(lane.run(session), name=f"sync-{type(lane).__name__}")
            await self._ledger.begin(session)
            await self._readings.begin(session)
            self.session = session
            self._stands(State.CATCHING_UP)
            group.create_task(self._ledger.run(session), name="sync-ledger")
            group.create_task(self._readings.run(session), name="sync-readings")

    def _heard(self) -> None:
        self.contact_us = self._clock.now().at_us

    def _failed(self, error: OutpostError) -> None:
        if verdict(error) is Verdict.REFUSED:
            self._stands(State.REFUSED, error.detail, error.advice)
            return
        away = State.AWAY if isinstance(error, Unreachable) else State.CONNECTING
        self._stands(away, error.detail, error.advice)

    def _stands(self, state: State, problem: str = "", hint: str = "") -> None:
        if (state, problem, hint) == (self.state, self.problem, self.hint):
            return
        if state is not self.state:
            self.since_us = self._clock.now().at_us
            log.info("syncing is %s%s", state.value, f": {problem}" if problem else "")
        self.state, self.problem, self.hint = state, problem, hint
        self._bus.publish(SyncChanged())

    def _wait_s(self, retry: RetryCallState) -> float:
        error = retry.outcome.exception() if retry.outcome else None
        asked_s = error.retry_after_s if isinstance(error, CentreSaid) else None
        if isinstance(error, OutpostError) and verdict(error) is Verdict.REFUSED:
            return max(asked_s or 0.0, REFUSED_S) * (0.75 + wait_random(0, 0.5)(retry))
        if asked_s is not None:
            return asked_s + wait_random(0, 1.0)(retry)  # not all hubs of a fleet at once
        return wait_random_exponential(multiplier=WAIT_BASE_S, exp_base=WAIT_GROWTH, max=WAIT_MAX_S)(retry)

    async def _sleep(self, seconds: float) -> None:
        """Wait, but not past the moment a line comes or goes."""
        end_s = self._clock_s() + seconds
        before = _routes()
        while (left_s := end_s - self._clock_s()) > 0:
            await asyncio.sleep(min(left_s, ROUTE_LOOK_S))
            if self.state is State.AWAY and _routes() != before:
                return

    def _clock_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def _recall(self, current: Enrolment) -> None:
        """Once a run: what was noted of the readings in an earlier one; nothing, for an enrolment made since."""
        if self._recalled != current:
            await (self._readings.forget() if self._anew else self._readings.recall(current.site))
            self._recalled, self._anew = current, False

    async def _note(self, current: Enrolment) -> None:
        """Note how far the streams are: hints for the next start."""
        ledger = self._ledger.next

        def work(tx: Transaction) -> None:
            if store.enrolment(tx) == current:
                store.move_cursor(tx, current.site, store.LEDGER, ledger)

        try:
            await self._ledger_stream.database.write(work)
            await self._readings.note(current.site)
        except StorageError:
            log.warning("how far syncing is could not be noted; the centre knows", exc_info=True)

    async def _bye(self, current: Enrolment, session: Session) -> None:
        try:
            async with Client(current.url, self._settings.sync.ca_file) as client:
                last = Session(client, self._enrolments.token, session.welcome)
                await last.ask("POST", "/sync/v1/bye", Heard, timeout_s=BYE_S)
        except OutpostError as error:
            log.info("the centre was not told that this hub stops: %s", error.detail)

    def _enrolment_changed(self) -> None:
        self._anew, self._recalled = True, None
        self._readings.nothing_known()
        self._stands(State.OFF if self._enrolments.current is None else State.CONNECTING)
        if self._task is not None:
            self._task.cancel()
        self._changed.set()


def verdict(error: OutpostError) -> Verdict:
    """What to do after an error of a session."""
    if isinstance(error, CentreSaid):
        return judge(error.said, error.said_status, passes=error.passes)
    if isinstance(error, TooManyEpochs):
        return Verdict.REFUSED
    return Verdict.WAIT


def _first(errors: BaseExceptionGroup[OutpostError]) -> OutpostError:
    """The error that tells most: what the centre said before what became of the line."""
    found = list(_flat(errors.exceptions))
    said = [error for error in found if isinstance(error, CentreSaid)]
    return (said or found)[0]


def _flat(errors: Sequence[OutpostError | BaseExceptionGroup[OutpostError]]) -> Sequence[OutpostError]:
    flat: list[OutpostError] = []
    for error in errors:
        flat += _flat(error.exceptions) if isinstance(error, BaseExceptionGroup) else [error]
    return flat


async def _ended(task: asyncio.Task[None] | None) -> None:
    """Cancel it and wait for its end; a fault of its own comes out here."""
    if task is None:
        return
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


def _routes() -> str:
    """Changes when a line comes or goes."""
    text = ""
    for path in ROUTES:
        try:
            text += path.read_text()
        except OSError:
            continue
    return text
