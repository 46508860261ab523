"""Fetching from head office: what is wanted, one at a time, over a line that comes and goes.

A cut line, a restart, a full disk cost what was not written yet. What does not go on now lets the next one pass.
What it is that is fetched, and when it counts as here, each kind of lane says itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from pathlib import Path

from edge.errors import Busy, OutpostError, Rejected, StorageError, Unreachable
from edge.sync.client import CentreSaid
from edge.sync.model import Verdict, judge
from edge.sync.partial import Partials, WrongFile
from edge.sync.session import Session
from edge.sync.share import REST, Share

log = logging.getLogger(__name__)
_RANDOM = random.SystemRandom()

WRONG_MAX = 3  # times that a file came wrong: then it is wrong at the centre
FIRST_WAIT_S, WAIT_MAX_S = 0.5, 60.0
TIDY_S = 3600.0  # how long what nobody wants any more stays


class Wanted:
    """Something that somebody waits for; `actor` wants it. `files`: the hashes that are its parts."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting = 0
        self.wrong = self.tries = 0
        self.not_before_s = 0.0  # by time.monotonic
        self.files: set[str] = set()


class FetchLane:
    """A lane of each session. `folder`: where parts of files lie meanwhile; `share` bounds the line."""

    def __init__(self, folder: Path, share: Share) -> None:
        self._share = share
        self._partials = Partials(folder, self._arrived)
        self._wanted: dict[str, Wanted] = {}
        self._more = asyncio.Event()
        self.bytes_fetched = 0
        self._tidied_s = time.monotonic()

    # --- what each kind of lane says

    def _is_here(self, name: str) -> bool:
        """Whether all of it is here."""
        raise NotImplementedError

    async def _fetch(self, session: Session, name: str, wanted: Wanted) -> None:
        """Bring it here. Raises OutpostError."""
        raise NotImplementedError

    def _waits(self, name: str, error: OutpostError) -> None:
        """It does not go on now."""

    async def _cannot_be(self, name: str, error: OutpostError) -> None:
        """It cannot be had, for good."""

    def _look(self) -> None:
        """Before the next one is chosen, and when it is over with one."""

    def _stopped(self) -> None:
        """The session is over."""

    # --- for all of them

    def tidy(self) -> None:
        """Delete what was begun long ago and never ended. Raises StorageError."""
        self._partials.tidy()

    async def _have(self, name: str, actor: str) -> None:
        """Wait until it is here, however long the line is away. Raises OutpostError when it cannot be had."""
        if self._is_here(name):
            return
        wanted = self._wanted.setdefault(name, Wanted(actor))
        wanted.waiting += 1
        self._more.set()
        try:
            await asyncio.shield(wanted.came)
        finally:
            wanted.waiting -= 1
            if not wanted.waiting and self._wanted.get(name) is wanted:
                del self._wanted[name]  # nobody waits any more: it is not begun, or goes no further

    async def run(self, session: Session) -> None:
        """Fetch what is wanted, one at a time, until cancelled. What fails for now is tried again when its time has
        come, behind what else is wanted."""
        for wanted in self._wanted.values():
            wanted.not_before_s = 0.0
        try:
            while True:
                self._more.clear()
                await self._tidy_now_and_then()
                self._look()
                name = min(self._wanted, key=lambda one: self._wanted[one].not_before_s, default=None)
                rest_s = TIDY_S
                if name is not None:
                    wanted = self._wanted[name]
                    rest_s = wanted.not_before_s - time.monotonic()
                    if rest_s <= 0:
                        await self._bring(session, name, wanted)
                        continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(rest_s, TIDY_S)):
                        await self._more.wait()
        finally:
            self._stopped()

    def _all_files(self) -> set[str]:
        """The parts of everything that is wanted."""
        return {sha256 for wanted in self._wanted.values() for sha256 in wanted.files}

    async def _tidy_now_and_then(self) -> None:
        if time.monotonic() - self._tidied_s < TIDY_S:
            return
        self._tidied_s = time.monotonic()
        with contextlib.suppress(StorageError):
            await asyncio.to_thread(self._partials.tidy, self._all_files(), TIDY_S)

    async def _bring(self, session: Session, name: str, wanted: Wanted) -> None:
        """Bring it here, settle that it cannot be had, or put it off. Raises CentreSaid when the session ends."""
        try:
            await self._try(session, name, wanted)
        except OutpostError as error:
            if _ends_session(error):
                raise
            if _passes(error):
                wanted.tries += 1
                wanted.not_before_s = time.monotonic() + _wait_s(error, wanted.tries)
                return
            await self._settle(name, wanted, error)
        else:
            await self._settle(name, wanted, None)
        self._look()

    async def _try(self, session: Session, name: str, wanted: Wanted) -> None:
        try:
            if not self._is_here(name):
                await self._fetch(session, name, wanted)
        except WrongFile as error:
            wanted.wrong += 1
            if wanted.wrong >= WRONG_MAX:
                raise Rejected(error.detail) from error
            raise
        except OutpostError as error:
            if _passes(error):
                log.info("fetching %s of the centre waits: %s", name[:16], error.detail)
                self._waits(name, error)
            raise

    async def _arrived(self, count: int) -> None:
        self.bytes_fetched += count
        await self._share.take(REST, count)

    async def _settle(self, name: str, wanted: Wanted, error: OutpostError | None) -> None:
        """Tell whoever waits."""
        if self._wanted.get(name) is wanted:
            del self._wanted[name]
        if error is None:
            wanted.came.set_result(None)
            return
        wanted.came.set_exception(error)
        wanted.came.exception()  # whoever waited may have gone at this very moment
        with contextlib.suppress(StorageError):  # it is tidied up later
            await asyncio.to_thread(self._partials.drop, wanted.files - self._all_files())
        await self._cannot_be(name, error)


def _passes(error: BaseException) -> bool:
    """Whether the same may be tried again within this session."""
    if isinstance(error, CentreSaid):
        return judge(error.said, error.said_status, passes=error.passes) is Verdict.WAIT
    return isinstance(error, Unreachable | WrongFile | StorageError | Busy)


def _ends_session(error: OutpostError) -> bool:
    """Whether it is about the session, and not about what is fetched."""
    if not isinstance(error, CentreSaid):
        return False
    return error.said_status == 401 or judge(error.said, error.said_status, passes=False) is Verdict.AGAIN


def _wait_s(error: OutpostError, tries: int) -> float:
    """Before it is tried again: longer each time, and at random, so that sites do not come back all at once."""
    asked_s = error.retry_after_s if isinstance(error, CentreSaid) else None
    return max(asked_s or 0.0, _RANDOM.uniform(0.0, min(WAIT_MAX_S, FIRST_WAIT_S * 1.5 ** min(tries, 20))))
