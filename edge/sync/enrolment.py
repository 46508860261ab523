"""Which site of which centre this hub is: a one-time code becomes a token, kept in a file of its own.

The token is in no backup and in no log. The file names the centre too, so that a token is never shown to another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge import __version__
from edge.clock import Clock
from edge.errors import BadInput, Conflict, OutpostError, StorageError
from edge.settings import Settings
from edge.settle import write_secret
from edge.store.database import Database
from edge.sync import store
from edge.sync.client import CentreSaid, Client, as_json
from edge.sync.model import NAME_CHARS, SLUG_CHARS, TOKEN_CHARS, address, is_word, place_of
from edge.sync.store import Enrolment
from edge.wire.sync import Enrol, Enrolled

log = logging.getLogger(__name__)

TOKEN_NAME = "site.token"  # noqa: S105 - a file's name
MACHINE_ID = Path("/etc/machine-id")
CODE_CHARS = 100
NO_ROUTE = "no-route"  # what a hub says where a centre enrols
NOT_THERE = "It may be a hub. Give the address of head office; a centre listens on port 8600 unless told otherwise."
MISSING = "This database belongs to a site, but the site's token is not here."
MISSING_HINT = "Ask head office for a code, then `outpost site enrol CODE`."


class Token(msgspec.Struct, frozen=True):
    """What site.token holds."""

    url: str
    site: str
    name: str
    tenant: str
    token: str


class Enrolments:
    """`current` is the enrolment, None where there is none; `token` what proves it. `missing`: it has no token."""

    def __init__(self, hub: Database, directory: Path, clock: Clock, settings: Settings) -> None:
        self._hub, self._path, self._clock = hub, directory / TOKEN_NAME, clock
        self._settings = settings
        self._followers: list[Callable[[], None]] = []
        self._busy = asyncio.Lock()
        self.place = place_of(_machine(), str(directory.resolve()))
        self.current: Enrolment | None = None
        self.token = ""
        self.missing = False

    def on_change(self, follower: Callable[[], None]) -> None:
        """Call `follower` after each enrolment and each end of one."""
        self._followers.append(follower)

    async def start(self) -> None:
        """Load both; a database older than its token learns from the token whose it is.

        The setting sync.url, where it names another address, is where the centre has moved to: the token stays.
        """
        kept = self._moved(_read(self._path))
        self.current = await self._hub.write(store.enrolment)
        known = (self.current.url, self.current.site) if self.current else None
        if kept is not None and known != (kept.url, kept.site):
            try:
                await self._take_over(kept, f"the token in {self._path.name}")
            except StorageError:
                log.warning("the enrolment could not be noted; the next start does", exc_info=True)
        self.token = kept.token if kept else ""
        self.missing = self.current is not None and kept is None

    def _moved(self, kept: Token | None) -> Token | None:
        """The token with the centre's present address."""
        if kept is None or not self._settings.sync.url:
            return kept
        try:
            url = address(self._settings.sync.url, insecure=self._settings.sync.insecure)
            if url != kept.url:
                kept = msgspec.structs.replace(kept, url=url)
                write_secret(self._path, msgspec.json.encode(kept).decode())
        except (BadInput, OSError) as error:
            log.error("sync.url is not used: %s", error)  # the site works on with the address it knows
        return kept

    async def enrol(self, code: str, url: str, actor: str) -> Enrolment:
        """Trade a code for the site's token. Raises BadInput, Conflict, Unreachable, or what the centre says."""
        wanted = url or self._settings.sync.url or (self.current.url if self.current else "")
        if not wanted:
            raise BadInput("Where is the centre?", hint="Give its address (`--cloud URL`), or set sync.url.")
        code = "".join(code.split())
        if not is_word(code, CODE_CHARS):
            raise BadInput("This is no code.", hint="Type it as head office read it out.")
        centre = address(wanted, insecure=self._settings.sync.insecure)
        if self._busy.locked():
            raise Conflict("Another enrolment is under way.")
        async with self._busy:
            kept = await self._trade(centre, code)
            await asyncio.to_thread(write_secret, self._path, msgspec.json.encode(kept).decode())
            await self._take_over(kept, actor)
            self.token, self.missing = kept.token, False
        self._tell()
        assert self.current is not None
        return self.current

    async def leave(self, actor: str) -> None:
        """Send nothing any more. Raises Conflict where there is no enrolment."""
        current = self.current
        if current is None:
            raise Conflict("This hub is not enrolled.", hint="`outpost site enrol CODE` enrols it.")
        async with self._busy:
            await self._hub.write(lambda tx: store.leave(tx, current.site, actor))
            self._path.unlink(missing_ok=True)
            self.current, self.token, self.missing = None, "", False
        self._tell()

    async def _trade(self, centre: str, code: str) -> Token:
        name = self._settings.site.name
        asked = Enrol(code=code, place=self.place, name=name, version=__version__)
        async with Client(centre, self._settings.sync.ca_file) as client:
            try:
                given = await client.ask("POST", "/sync/v1/enrol", Enrolled, body=as_json(asked))
            except CentreSaid as said:
                if said.said == NO_ROUTE:
                    raise BadInput(f"What answers at {centre} is no centre.", hint=NOT_THERE) from said
                raise Refusal(said) from said
        if not is_word(given.site, SLUG_CHARS) or not is_word(given.token, TOKEN_CHARS):
            raise BadInput("What the centre answered is no enrolment.", hint="Is this an Outpost centre?")
        shown = given.name[:NAME_CHARS], given.tenant[:NAME_CHARS]
        return Token(url=centre, site=given.site, name=shown[0], tenant=shown[1], token=given.token)

    async def _take_over(self, kept: Token, actor: str) -> None:
        new = Enrolment(
            url=kept.url,
            site=kept.site,
            name=kept.name,
            tenant=kept.tenant,
            enrolled_us=self._clock.now().at_us,
            enrolled_by=actor,
        )
        self.current = new
        await self._hub.write(lambda tx: store.enrol(tx, new))

    def _tell(self) -> None:
        for follower in self._followers:
            follower()


class Refusal(OutpostError):
    """The centre did not enrol this hub."""

    code = "enrolment-refused"
    status = 409

    def __init__(self, said: CentreSaid) -> None:
        super().__init__(f"The centre says: {said.detail}", hint=said.advice)


def _read(path: Path) -> Token | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Token)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.error("site.token cannot be used: %s", type(error).__name__)
        return None


def _machine() -> str:
    try:
        return MACHINE_ID.read_text().strip()
    except OSError:
        return ""
