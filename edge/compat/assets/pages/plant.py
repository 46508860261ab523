"""What the older asset logger's pages see of a site, or of all sites: whose loggers, whose machines, which shifts.

A hub and the centre each say it from what they have; everything behind this is the same code for both.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from edge.access.accounts.model import User
from edge.assets.answers.asking import Bands
from edge.assets.calendar import Weekly
from edge.errors import NotFound

K = TypeVar("K", bound=Hashable)

_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,9}$")


class Logger(msgspec.Struct, frozen=True, kw_only=True):
    """A logger as a person sees it. `id` stands in paths; `logger_id` is what it calls itself.

    `status`: online, offline, or pending while nobody has approved it. `yours`: this person may change it.
    """

    id: str
    logger_id: str
    name: str
    status: str
    yours: bool = True
    owner: str = ""
    site: str = ""
    firmware: str = ""
    address: str = ""
    location: str = ""
    description: str = ""
    seen_us: int | None = None
    created_us: int = 0


class Machine(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """An asset as a person sees it. `key` finds its bands; `id` stands in paths.

    `state` as our API has it, since `since_us`; `stop` the id of the stop under way, '' for none. `logger` is the
    id of its logger, '' where that is gone.
    """

    key: K
    id: str
    name: str
    line: str
    input: str
    logger: str
    state: str
    since_us: int | None
    short_stop_s: float
    stop: str = ""
    reason: str = ""

    @property
    def pin(self) -> int | str:
        """The number in its input's name, as the pages show pins; else the name."""
        number = _NUMBER.search(self.input)
        return int(number[0]) if number else self.input


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """A shift of a site."""

    id: str
    name: str
    weekly: Weekly


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A site: its days and shifts. `id` is '' at a hub."""

    id: str
    name: str
    zone: ZoneInfo
    shifts: tuple[Shift, ...] = ()


class Seen(msgspec.Struct, Generic[K], frozen=True, kw_only=True):
    """All that one person sees, as it is now. There is one place at least; `bands` is what there was."""

    bands: Bands[K]
    places: tuple[Place, ...]
    loggers: tuple[Logger, ...]
    machines: tuple[Machine[K], ...]

    def logger(self, given: str) -> Logger:
        """The logger of this id, or that calls itself so. Raises NotFound."""
        for logger in self.loggers:
            if logger.id == given:
                return logger
        named = [logger for logger in self.loggers if logger.logger_id == given]
        if len(named) != 1:
            raise NotFound("Logger not found")
        return named[0]

    def machine(self, given: str) -> Machine[K]:
        """The machine of this id. Raises NotFound."""
        for machine in self.machines:
            if machine.id == given:
                return machine
        raise NotFound("Asset not found")

    def logger_of(self, machine: Machine[K]) -> Logger | None:
        """The logger that watches a machine."""
        return next((logger for logger in self.loggers if logger.id == machine.logger), None)


class News(Protocol):
    """Says when it is worth to look again."""

    async def wait(self, seconds: float, /) -> bool:
        """Wait until something may have changed, for so long at most."""


class Plant(Protocol[K]):
    """Knows it."""

    async def seen(self, user: User) -> Seen[K]:
        """What this person sees. Raises StorageError."""

    def news(self, user: User) -> AbstractContextManager[News]:
        """Follow what changes for this person, from now on."""

    def tenant_of(self, user: User) -> int | None:
        """With whom he shares the places of pages that listen; None: with everybody."""
