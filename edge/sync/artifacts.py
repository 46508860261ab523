"""Firmware that head office lets devices of this site run: fetched once over the line, whatever happens to it.

One artifact at a time: its manifest, who signed it, then those of its files that are not here yet. It is verified
by the keys that this hub trusts before any file is asked for, so that a centre alone cannot bring anything here;
images that nobody signs only where this hub's settings allow that. A cut line, a restart, a full disk cost what was
not written yet. What does not go on now lets the next one pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from edge.bus import Bus, Event
from edge.errors import Busy, OutpostError, Rejected, StorageError, Unreachable
from edge.store.database import Database
from edge.sync.client import CentreSaid
from edge.sync.model import Verdict, judge
from edge.sync.partial import Partials, WrongFile
from edge.sync.session import Session
from edge.sync.share import REST, Share
from edge.wire.firmware import MANIFEST_MAX, File, Manifest, artifact_id

log = logging.getLogger(__name__)
_RANDOM = random.SystemRandom()

FOLDER = "fetching"  # in the data directory
SIGNATURES_BYTES = 4096
WRONG_MAX = 3  # times that a file came wrong: then it is wrong at the centre
FIRST_WAIT_S, WAIT_MAX_S = 0.5, 60.0
TIDY_S = 3600.0  # how long what nobody wants any more stays
SHOW_S = 1.0  # how often it is told how many bytes are here
UNFETCHED = "firmware.unfetched"  # the fact: why an artifact cannot be had


class Shelf(Protocol):
    """The hub's artifacts, as far as fetching needs them."""

    def has(self, artifact: str) -> bool:
        """Whether all of it is here."""

    async def lacking(self, manifest: bytes, signatures: bytes) -> tuple[Manifest, list[File]]:
        """What it says, and those of its files that are not here. Raises OutpostError for one that this hub would
        not take from anybody, such as one that nobody it trusts has signed."""

    def require_room(self, count: int) -> None:
        """Raise OutpostError where so many bytes more cannot be kept."""

    async def put(self, manifest: bytes, signatures: bytes, files: Mapping[str, Path], *, actor: str) -> None:
        """Take it in with its new files, by their hashes; they may be moved. Raises OutpostError."""


class FetchChanged(Event, frozen=True):
    """What is being fetched stands otherwise."""


class Fetching(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes: `done` of `size` bytes are here; `problem`: why it does not go on now, '' while it does."""

    artifact: str
    done: int = 0
    size: int = 0
    problem: str = ""


class _Wanted:
    """An artifact that somebody waits for."""

    def __init__(self, actor: str) -> None:
        self.actor = actor
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting = 0
        self.wrong = self.tries = 0
        self.not_before_s = 0.0  # by time.monotonic
        self.files: set[str] = set()


class ArtifactLane:
    """A lane of each session. `have` is for those who carry out orders of the centre."""

    def __init__(self, shelf: Shelf, database: Database, bus: Bus, directory: Path, kbit_s: int) -> None:
        self._shelf, self._db, self._bus = shelf, database, bus
        self._share = Share(kbit_s)  # of its own: what is fetched comes down the line, what is synced goes up
        self._partials = Partials(directory / FOLDER, self._arrived)
        self._wanted: dict[str, _Wanted] = {}
        self._more = asyncio.Event()
        self.now: Fetching | None = None
        self.bytes_fetched = 0
        self._shown_s = 0.0
        self._tidied_s = time.monotonic()

    def tidy(self) -> None:
        """Delete what was begun long ago and never ended. Raises StorageError."""
        self._partials.tidy()

    async def have(self, artifact: str, actor: str) -> None:
        """Wait until this artifact is here, however long the line is away; `actor`: who at the centre wants it.

        Raises OutpostError when it cannot be had: the centre has it no more, or this hub does not take it.
        """
        if self._shelf.has(artifact):
            return
        wanted = self._wanted.setdefault(artifact, _Wanted(actor))
        wanted.waiting += 1
        self._more.set()
        try:
            await asyncio.shield(wanted.came)
        finally:
            wanted.waiting -= 1
            if not wanted.waiting and self._wanted.get(artifact) is wanted:
                del self._wanted[artifact]  # nobody waits any more: it is not begun, or goes no further

    async def run(self, session: Session) -> None:
        """Fetch what is wanted, one at a time, until cancelled. What fails for now is tried again when its time has
        come, behind what else is wanted."""
        for wanted in self._wanted.values():
            wanted.not_before_s = 0.0
        try:
            while True:
                self._more.clear()
                await self._tidy_now_and_then()
                if self.now is not None and self.now.artifact not in self._wanted:
                    self._show(None)
                artifact = min(self._wanted, key=lambda one: self._wanted[one].not_before_s, default=None)
                rest_s = TIDY_S
                if artifact is not None:
                    wanted = self._wanted[artifact]
                    rest_s = wanted.not_before_s - time.monotonic()
                    if rest_s <= 0:
                        await self._bring(session, artifact, wanted)
                        continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(rest_s, TIDY_S)):
                        await self._more.wait()
        finally:
            self._show(None)

    async def _tidy_now_and_then(self) -> None:
        if time.monotonic() - self._tidied_s < TIDY_S:
            return
        self._tidied_s = time.monotonic()
        files = {sha256 for wanted in self._wanted.values() for sha256 in wanted.files}
        with contextlib.suppress(StorageError):
            await asyncio.to_thread(self._partials.tidy, files, TIDY_S)

    async def _bring(self, session: Session, artifact: str, wanted: _Wanted) -> None:
        """Bring it here, settle that it cannot be had, or put it off. Raises CentreSaid when the session ends."""
        try:
            await self._try(session, artifact, wanted)
        except OutpostError as error:
            if _ends_session(error):
                raise
            if _passes(error):
                wanted.tries += 1
                wanted.not_before_s = time.monotonic() + _wait_s(error, wanted.tries)
                return
            await self._settle(artifact, wanted, error)
        else:
            await self._settle(artifact, wanted, None)
        self._show(None)

    async def _try(self, session: Session, artifact: str, wanted: _Wanted) -> None:
        try:
            await self._fetch(session, artifact, wanted)
        except WrongFile as error:
            wanted.wrong += 1
            if wanted.wrong >= WRONG_MAX:
                raise Rejected(error.detail) from error
            raise
        except OutpostError as error:
            if _passes(error):
                log.info("fetching %s of the centre waits: %s", artifact[:16], error.detail)
                standing = self.now or Fetching(artifact=artifact)
                self._show(msgspec.structs.replace(standing, problem=error.detail))
            raise

    async def _fetch(self, session: Session, artifact: str, wanted: _Wanted) -> None:
        if self._shelf.has(artifact):
            return
        self._show(Fetching(artifact=artifact))
        path = f"/sync/v1/artifacts/{artifact}"
        raw = await _whole(session, f"{path}/manifest", MANIFEST_MAX)
        if artifact_id(raw) != artifact:
            raise WrongFile("The centre sent another manifest than the one that was wanted.")
        signatures = await _whole(session, f"{path}/signatures", SIGNATURES_BYTES)
        manifest, lacking = await self._shelf.lacking(raw, signatures)
        wanted.files = {file.sha256 for file in lacking}
        await self._require_room(wanted, lacking)
        here = manifest.size - sum(file.size for file in lacking)
        self._show(Fetching(artifact=artifact, done=here, size=manifest.size))
        files = {}
        for file in {file.sha256: file for file in lacking}.values():
            files[file.sha256] = await self._partials.fetch(session, f"{path}/files/{file.sha256}", file)
            await self._require_room(wanted, lacking)
        await self._shelf.put(raw, signatures, files, actor=wanted.actor)
        for part in files.values():
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _require_room(self, wanted: _Wanted, lacking: list[File]) -> None:
        """For all of it, beside what else is on its way. Raises Rejected, StorageError."""
        own = sum({file.sha256: file.size for file in lacking}.values())
        try:
            self._shelf.require_room(own + await asyncio.to_thread(self._partials.others, wanted.files))
        except OutpostError:  # what nobody wants any more makes room first
            files = {sha256 for one in self._wanted.values() for sha256 in one.files}
            await asyncio.to_thread(self._partials.tidy, files | wanted.files, 0.0)
            self._shelf.require_room(own)

    async def _arrived(self, count: int) -> None:
        self.bytes_fetched += count
        if self.now is not None:
            self._show(msgspec.structs.replace(self.now, done=self.now.done + count, problem=""))
        await self._share.take(REST, count)

    async def _settle(self, artifact: str, wanted: _Wanted, error: OutpostError | None) -> None:
        """Tell whoever waits; why it cannot be had stands in the ledger too."""
        if self._wanted.get(artifact) is wanted:
            del self._wanted[artifact]
        if error is None:
            wanted.came.set_result(None)
            return
        wanted.came.set_exception(error)
        wanted.came.exception()  # whoever waited may have gone at this very moment
        why = error.detail
        shared = {sha256 for other in self._wanted.values() for sha256 in other.files}
        with contextlib.suppress(StorageError):  # it is tidied up later
            await asyncio.to_thread(self._partials.drop, wanted.files - shared)
        await self._db.write(lambda tx: tx.fact(UNFETCHED, artifact, reason=why))

    def _show(self, now: Fetching | None) -> None:
        """Tell how it goes; of bytes alone now and then."""
        before, self.now = self.now, now
        if now == before:
            return
        bytes_alone = now is not None and before is not None and now.problem == before.problem and now.done > 0
        if not bytes_alone or time.monotonic() - self._shown_s >= SHOW_S:
            self._shown_s = time.monotonic()
            self._bus.publish(FetchChanged())


async def _whole(session: Session, path: str, most: int) -> bytes:
    """A small file, in one go. Raises WrongFile for one that is longer than it may be."""
    async with session.fetch(path) as arriving:
        if arriving.size > most:
            raise WrongFile(f"The centre sent more than {most} bytes where a few were wanted.")
        return b"".join([piece async for piece in arriving.pieces])


def _passes(error: BaseException) -> bool:
    """Whether the same may be tried again within this session."""
    if isinstance(error, CentreSaid):
        return judge(error.said, error.said_status, passes=error.passes) is Verdict.WAIT
    return isinstance(error, Unreachable | WrongFile | StorageError | Busy)


def _ends_session(error: OutpostError) -> bool:
    """Whether it is about the session, and not about this artifact."""
    if not isinstance(error, CentreSaid):
        return False
    return error.said_status == 401 or judge(error.said, error.said_status, passes=False) is Verdict.AGAIN


def _wait_s(error: OutpostError, tries: int) -> float:
    """Before it is tried again: longer each time, and at random, so that sites do not come back all at once."""
    asked_s = error.retry_after_s if isinstance(error, CentreSaid) else None
    return max(asked_s or 0.0, _RANDOM.uniform(0.0, min(WAIT_MAX_S, FIRST_WAIT_S * 1.5 ** min(tries, 20))))
