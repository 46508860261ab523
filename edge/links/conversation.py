"""What the hub sees of one live device on a port, whichever protocol it speaks.

Single-use: an opener makes it over an open stream, it ends once, and the port's owner has another made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import msgspec

from edge.links.ports import PortFacts
from edge.links.spec import Profile
from edge.links.stream import ByteStream
from edge.wire.cable import Fetch, Readings, Report, Shown, ToDevice, Told
from edge.wire.native import Log, Panel, Running, State
from edge.wire.orders import Order, Outcome

Json = Any  # any JSON value


class Heard(msgspec.Struct, frozen=True):
    """A sign of life that says nothing else, e.g. an answer of an old display."""

    what: str


DeviceEvent = State | Log | Heard | Readings | Report | Fetch | Told | Shown
OnEvent = Callable[[DeviceEvent], None]


@runtime_checkable
class Telling(Protocol):
    """A conversation over which more than commands can be said."""

    @property
    def running(self) -> Running | None:
        """What the device runs, by its handshake; None for one that cannot be updated."""

    async def tell(self, message: ToDevice, blob: bytes = b"") -> None:
        """Send what is no command. Raises LinkError when the line is over, TooLarge for what fits no message."""


class Conversation(Protocol):
    """One live device. `deliver` takes orders one at a time, in the order they are asked."""

    on_event: OnEvent
    """Called in the event loop with what the device says; must not block. Set it when told that it is up."""

    @property
    def identity(self) -> str:
        """The chip id with our firmware; else the best the port offers (PortFacts.identity)."""

    @property
    def profile(self) -> Profile:
        """Which protocol it speaks."""

    @property
    def hello(self) -> Mapping[str, Json]:
        """What it said of itself, as plain facts."""

    @property
    def panel(self) -> Panel | None:
        """Its screen, None where it has none."""

    @property
    def port_path(self) -> str:
        """The port's path, as configured."""

    @property
    def baud(self) -> int:
        """The line's rate now."""

    async def deliver(self, order: Order) -> Outcome:
        """One attempt; never raises for what a device or line does."""

    async def wait_closed(self) -> str:
        """Wait for its end; the reason, a phrase for a person."""

    async def close(self) -> None:
        """End it and close the stream. Never raises, may be called twice."""


class Approach(msgspec.Struct, frozen=True):
    """How to begin: over which port, and what an operator has pinned."""

    facts: PortFacts
    pinned: bool = False  # protocol and rate are both named: nothing else will be tried here
    baud_pinned: bool = False  # do not agree on another rate
    timeout_s: float = 1.5


Opener = Callable[[ByteStream, Approach], Awaitable[Conversation]]
"""Shake hands over an open stream. Raises LinkError when nobody answers in this protocol, Stranger or DownloadMode
when it is known who does; the stream then stays open, at its rate."""

Openers = Mapping[Profile, Opener]
