"""What live readers are told: one reader of the bus for all of them, each event translated and encoded once.

What nobody wants is not translated, and once its type is known not even queued. Each reader has a bounded queue of
its own; what a slow one sheds is counted and told to it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

import msgspec

from edge.bus import Bus, Event, Missed, Subscription
from edge.wire.views import FactView, LiveEvent

READER_EVENTS = 1024  # that a reader may be behind: about 10 s of a busy hub
FACTS_KEPT = 1000  # facts whose text is kept, so that all readers are told the same bytes

TOPICS = (
    "device", "command", "port", "claim", "log", "fact", "reading", "twin", "asset", "slot", "transaction", "hook",
    "hub", "sync",
    "firmware", "rollout", "update",
    "content", "panel",
)  # fmt: skip
"""What a reader may choose from. `missed` is always told."""

Position = tuple[int, int]
"""A place in the order that facts are read in: at a hub (0, number), at the centre (transaction, arrival)."""

_encode = msgspec.json.Encoder().encode
Translate = Callable[[Event], Awaitable[LiveEvent | None]]


class Stops(Event, frozen=True):
    """The last thing that is told on the bus: readers are let go at once."""


class Told(msgspec.Struct, frozen=True):
    """One message, encoded: the text of a LiveEvent, and what of it decides who gets it."""

    topic: str
    text: str
    device: str = ""
    id: int | None = None
    site: str = ""  # at the centre


class LedgerFact(msgspec.Struct, frozen=True):
    """A fact as readers are told it, its place in the order they read in, and the `id` they resume by."""

    position: Position
    id: int
    view: FactView
    device: str
    site: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """What a reader wants: these topics of these devices, at the centre of these sites; None for all."""

    topics: frozenset[str] | None = None
    devices: frozenset[str] | None = None
    sites: frozenset[str] | None = None

    def takes(self, topic: str | None, device: str | None, site: str | None = None) -> bool:
        """Whether a message of this topic about this device is for it; what is not known yet (None) may be."""
        return (
            (self.topics is None or topic is None or topic in self.topics)
            and (self.devices is None or device is None or device in self.devices)
            and (self.sites is None or site is None or site in self.sites)
        )


def told(event: LiveEvent, device: str = "", site: str = "") -> Told:
    """A message, encoded."""
    return Told(event.topic, _encode(event).decode(), device, event.id, site)


class Reader:
    """One live connection's queue. `wanted` may be changed while it reads; beyond `reach` it is told of no site."""

    def __init__(self, feed: Feed, wanted: Wanted, reach: frozenset[str] | None = None, caller: str = "") -> None:
        self._feed, self._wanted, self._reach, self.caller = feed, wanted, reach, caller
        self._queue: deque[Told | Stops] = deque()
        self._missed = 0
        self._nudged = False
        self._wake = asyncio.Event()
        self._fault: BaseException | None = None

    @property
    def wanted(self) -> Wanted:
        """What it wants now."""
        return self._wanted

    def change(self, wanted: Wanted) -> None:
        """Want something else from now on."""
        self._wanted = wanted
        self._feed.readers_changed()

    @property
    def sites(self) -> frozenset[str] | None:
        """The sites it may and wants to hear of; None for all there are."""
        wanted = self._wanted.sites
        if self._reach is None or wanted is None:
            return self._reach if wanted is None else wanted
        return self._reach & wanted

    def takes(self, message: Told) -> bool:
        """Whether a message is for it."""
        return self._reaches(message.site) and self._wanted.takes(message.topic, message.device, message.site)

    def takes_fact(self, fact: Told) -> bool:
        """The same of a fact; one that is about no device is for those of every device."""
        return self._reaches(fact.site) and self._wanted.takes(fact.topic, fact.device or None, fact.site)

    def _reaches(self, site: str) -> bool:
        return self._reach is None or site in self._reach

    def offer(self, message: Told | Stops) -> None:
        """Queue a message, shedding the oldest when full."""
        if len(self._queue) >= READER_EVENTS:
            self._queue.popleft()
            self.miss(1)
        self._queue.append(message)
        self._wake.set()

    def miss(self, count: int) -> None:
        """Messages are lost to this reader."""
        self._missed += count
        self._wake.set()

    def fail(self, fault: BaseException) -> None:
        """The feed has broken: the next `get` raises why."""
        self._fault = fault
        self._wake.set()

    def nudge(self) -> None:
        """The ledger has grown: the next `get` returns, with None where nothing else is there."""
        self._nudged = True
        self._wake.set()

    async def get(self) -> Told | Stops | None:
        """The next message; `missed` first where some were shed."""
        while not (self._queue or self._missed or self._fault or self._nudged):
            self._wake.clear()
            await self._wake.wait()
        if self._fault is not None:
            raise self._fault
        if self._nudged:
            self._nudged = False
            return None
        if self._missed:
            missed, self._missed = self._missed, 0
            return told(LiveEvent(topic="missed", data={"count": missed}))
        return self._queue.popleft()


class Feed:
    """Reads the bus while anybody reads here."""

    def __init__(self, bus: Bus, translate: Translate) -> None:
        self._bus, self._translate = bus, translate
        self._readers: list[Reader] = []
        self._topics: dict[type[Event], str] = {}  # of each type of event told so far
        self._facts: OrderedDict[Position, Told] = OrderedDict()
        self._subscription: Subscription | None = None
        self._pump: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many read."""
        return len(self._readers)

    def of(self, caller: str) -> int:
        """How many of them are this caller's."""
        return sum(reader.caller == caller for reader in self._readers)

    def join(self, wanted: Wanted, reach: frozenset[str] | None = None, caller: str = "") -> Reader:
        """A new reader of `caller`, told of the sites in `reach` alone; `leave` when it is done."""
        reader = Reader(self, wanted, reach, caller)
        self._readers.append(reader)
        if self._pump is None:
            self._subscription = self._bus.subscribe()
            self._pump = asyncio.create_task(self._run(self._subscription), name="live-feed")
        self.readers_changed()
        return reader

    def leave(self, reader: Reader) -> None:
        """It reads no longer."""
        self._readers.remove(reader)
        if not self._readers and self._pump is not None:
            self._pump.cancel()
            self._pump = None
        self.readers_changed()

    def readers_changed(self) -> None:
        """Leave types of events that no reader wants on the bus."""
        if self._subscription is None:
            return
        if self._pump is None:
            self._subscription.close()
            self._subscription = None
            return
        self._subscription.ignore(kind for kind, topic in self._topics.items() if not self._is_wanted(topic, None))

    def nudge(self) -> None:
        """Tell every reader that the ledger has grown."""
        for reader in self._readers:
            reader.nudge()

    def fail(self, fault: BaseException) -> None:
        """Tell every reader that what feeds this has broken."""
        for reader in self._readers:
            reader.fail(fault)

    def fact(self, fact: LedgerFact) -> Told:
        """A fact, encoded once for all."""
        kept = self._facts.get(fact.position)
        if kept is None:
            live = LiveEvent(topic="fact", id=fact.id, data=msgspec.to_builtins(fact.view))
            kept = self._facts[fact.position] = told(live, fact.device, fact.site)
            if len(self._facts) > FACTS_KEPT:
                self._facts.popitem(last=False)
        return kept

    async def _run(self, subscription: Subscription) -> None:
        try:
            async for event in subscription:
                await self._hand_on(event)
        except Exception as error:  # noqa: BLE001 - the task's edge: every reader is told, and reports it
            self.fail(error)
            self._pump = None  # who joins next begins anew
            self.readers_changed()

    async def _hand_on(self, event: Event) -> None:
        if isinstance(event, Stops):
            for reader in self._readers:
                reader.offer(event)
        elif isinstance(event, Missed):
            for reader in self._readers:
                reader.miss(event.count)
        elif self._is_wanted(self._topics.get(type(event)), device_of(event)):
            live = await self._translate(event)
            if live is not None:
                self._learn(type(event), live.topic)
                self._tell(live, device_of(event), site_of(event))

    def _learn(self, kind: type[Event], topic: str) -> None:
        """All events of one type are of one topic."""
        if kind not in self._topics:
            self._topics[kind] = topic
            self.readers_changed()

    def _tell(self, live: LiveEvent, device: str | None, site: str) -> None:
        if not self._is_wanted(live.topic, device):
            return
        message = told(live, device or "", site)
        for reader in self._readers:
            if reader.takes(message):
                reader.offer(message)

    def _is_wanted(self, topic: str | None, device: str | None) -> bool:
        return any(reader.wanted.takes(topic, device) for reader in self._readers)


def device_of(event: Event) -> str | None:
    """The device an event is about; None where that is not told by the event."""
    about = getattr(event, "command", event)
    device = getattr(about, "device_id", None)
    return device if isinstance(device, str) else None


def site_of(event: Event) -> str:
    """The site an event is about, at the centre."""
    site = getattr(event, "site", "")
    return site if isinstance(site, str) else ""
