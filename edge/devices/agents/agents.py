"""The desks: which agent sits at which display, now and across restarts.

Every decision is taken inside the writer's transaction, where requests come one after the other; memory holds a
copy for the hot reads, changed right after the commit and before anybody's call returns. What is queued for a
session is cancelled in the transaction that ends it, and whoever hands a picture to a display asks `holds` first;
so no picture can reach a screen that has passed to another agent meanwhile.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Protocol

import msgspec

from edge.clock import Clock
from edge.devices.agents import store as sql
from edge.devices.agents.model import (
    DEPARTURES,
    LEASE_S,
    NOTE_EVERY_S,
    TOLD,
    Claim,
    Departure,
    End,
    How,
    Linked,
    Refusal,
    Refused,
    Session,
    Verdict,
    computer_key,
    display_name,
    idle_s,
    is_restart,
    judge,
    wanted,
)
from edge.errors import BadInput, DeviceUnavailable, NotFound
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing
from edge.store.writer import Work


class Displays(Protocol):
    """What the desks need to know of the devices."""

    def named(self, claimed_id: str) -> str | None:
        """The approved display with exactly this id or alias."""

    def online(self, device_id: str) -> bool:
        """Whether it gives signs of life."""

    def computer(self, device_id: str) -> str:
        """The computer its client registered from, '' when it has none."""


class Pictures(Protocol):
    """Whoever queues pictures: hears of a session's end inside the transaction that ends it."""

    def cancel_session(self, tx: Transaction, session_id: int, why: str) -> Callable[[], None]:
        """Cancel what is queued for this session and not yet sent; returns what to run after the commit."""


Told = Callable[[Transaction, Linked | Refused], None]
"""What a caller adds to the transaction that links or refuses an agent, knowing which."""


class _Change(msgspec.Struct):
    """What a transaction did, to be copied into memory after its commit."""

    departures: list[Departure] = []
    session: Session | None = None
    renews: bool = True  # whether the agent himself did something, so that his lease runs anew
    result: Linked | Refused | None = None
    shed: int = 0
    after: list[Callable[[], None]] = []


class Agents:
    """Sessions, workstations and claims. `claims_shed` counts claims dropped because too many waited."""

    def __init__(self, database: Database, clock: Clock, displays: Displays, pictures: Pictures) -> None:
        self._db, self._clock, self._displays, self._pictures = database, clock, displays, pictures
        self._of: dict[str, Session] = {}
        self._at: dict[str, Session] = {}
        self._active_s: dict[int, float] = {}  # session id -> monotonic time of the agent's last link or picture
        self._noted_s: dict[int, float] = {}  # and when that last reached the disk
        self._bound: dict[str, dict[str, str]] = {}  # computer key -> display -> computer's name
        self._departures: OrderedDict[str, Departure] = OrderedDict()
        self.claims_shed = 0

    async def start(self) -> None:
        """Load what the database holds."""
        now = self._clock.now()
        since_us = now.at_us - int(LEASE_S * 1_000_000)
        loaded, departures, bound = await self._db.write(
            lambda tx: (sql.open_sessions(tx), sql.last_departures(tx, since_us), sql.workstations(tx))
        )
        for session in loaded:
            self._remember(session, self._clock.mono_s() - idle_s(session, now))
        for departure in departures:
            self._tell_later(departure)
        for name, device_id in bound:
            self._bound.setdefault(computer_key(name), {})[device_id] = name

    def current(self, agent: str) -> Session | None:
        """Where the agent (an agent_key) sits; None when nowhere, or when his lease has run out."""
        return self._alive(self._of.get(agent))

    def at(self, device_id: str) -> Session | None:
        """Who sits at a display."""
        return self._alive(self._at.get(device_id))

    def sessions(self) -> list[Session]:
        """Everybody who sits somewhere, the longest first."""
        return sorted((s for s in self._of.values() if self._alive(s)), key=lambda session: session.id)

    def departure(self, agent: str) -> Departure | None:
        """Why the agent no longer sits where he did, when others decided that; forgotten once he sits again."""
        return self._departures.get(agent)

    def workstations(self, device_id: str) -> list[str]:
        """The computers bound to a display."""
        return sorted(displays[device_id] for displays in self._bound.values() if device_id in displays)

    async def claims(self) -> list[Claim]:
        """Who waits for a technician, the newest first."""
        return await self._db.write(sql.claims)

    def holds(self, session_id: int, device_id: str) -> bool:
        """Whether a picture bound to this session may go to this display now: asked before each hand-over."""
        session = self.at(device_id)
        return session is not None and session.id == session_id

    async def link(
        self, agent: str, name: str, *, device_id: str = "", computer_name: str = "", told: Told | None = None
    ) -> Linked | Refused:
        """Seat `agent` (an agent_key) at the display his request leads to, or refuse and keep his claim.

        1. `device_id` names an approved display exactly: it is his when free or his already; when another holds it,
           only if a technician bound `computer_name` to this display and no other (a takeover), or if the display's
           client has started anew and `computer_name` does not contradict its computer (see is_restart).
        2. No such display: the same for the one display that `computer_name` is bound to.
        3. Otherwise refused. An offline display is refused too, changing nothing and making no claim.

        His earlier session elsewhere ends; whoever is taken over is told (`departure`), and his queued pictures are
        cancelled in the same transaction, to which a caller adds what `told` writes of the result.
        """
        named = self._displays.named(device_id) if device_id else None
        computer = computer_key(computer_name)
        session = self._plain_refresh(agent, name, named, computer) if told is None else None
        if session is not None:
            return Linked(session)
        expired, offline = self._expired(), self._offline({*self._bound.get(computer, ()), *filter(None, [named])})
        at_client = named is not None and self._at_client(named, computer)

        def work(tx: Transaction) -> _Change:
            bound = sql.bound_displays(tx, computer) if computer else []
            only = bound[0] if len(bound) == 1 else None
            target = wanted(named if named and sql.is_display(tx, named) else None, only)
            if target is None and sql.open_of(tx, agent) is not None:
                return _Change(result=Refused(Refusal.NO_DISPLAY))  # he sits somewhere: nothing to decide
            if target is None:
                return self._refuse(tx, agent, name, computer_name, Refused(Refusal.NO_DISPLAY))
            display, how = target
            if display in offline:
                return _Change(result=Refused(Refusal.OFFLINE, display))
            holder = sql.open_at(tx, display)
            held_by = None if holder is None or holder.id in expired else holder
            verdict = judge(agent, held_by, at_workstation=only == display, at_client=at_client)
            if verdict is Verdict.HELD:
                return self._refuse(tx, agent, name, computer_name, Refused(Refusal.HELD, display))
            if verdict is Verdict.REFRESH and held_by is not None:
                refreshed = sql.note_active(tx, held_by, display_name(name))
                assert refreshed is not None
                return _Change(session=refreshed, result=Linked(refreshed))
            why = End.TAKEOVER if verdict is Verdict.TAKE_OVER else End.EXPIRED
            return self._seat(tx, agent, name, display, how, ousted=why, by=agent, expired=expired)

        def tell(tx: Transaction) -> _Change:
            change = work(tx)
            if told is not None and change.result is not None:
                told(tx, change.result)
            return change

        change = await self._commit(tell)
        assert change.result is not None
        return change.result

    async def seat(self, agent: str, name: str, device_id: str, *, actor: str, within: Within = nothing) -> Session:
        """A technician seats an agent, whoever sits there now. Raises DeviceUnavailable: no approved display."""
        expired = self._expired()

        def work(tx: Transaction) -> _Change:
            if not sql.is_display(tx, device_id):
                raise DeviceUnavailable(f"{device_id} is not an approved display.")
            holder = sql.open_at(tx, device_id)
            if holder is not None and holder.agent == agent and holder.id not in expired:
                session = sql.note_active(tx, holder, display_name(name) or holder.name)
                return _Change(session=session)
            return self._seat(
                tx, agent, name, device_id, How.TECHNICIAN, ousted=End.TECHNICIAN, by=actor, expired=expired
            )

        change = await self._commit(work, within)
        assert change.session is not None
        return change.session

    async def approve_claim(self, agent: str, device_id: str, *, actor: str) -> Session:
        """Give a waiting agent the display. Raises NotFound when he does not wait, DeviceUnavailable as `seat`."""
        claim = next((claim for claim in await self.claims() if claim.agent == agent), None)
        if claim is None:
            raise NotFound(f"Agent {agent!r} waits for no display.")
        return await self.seat(agent, claim.name, device_id, actor=actor)

    async def dismiss_claim(self, agent: str, *, actor: str) -> None:
        """Let a claim go without seating anybody. Raises NotFound."""
        if not await self._db.write(lambda tx: sql.dismiss_claim(tx, agent, actor)):
            raise NotFound(f"Agent {agent!r} waits for no display.")

    async def end(self, device_id: str, *, actor: str, within: Within = nothing) -> bool:
        """A technician frees a display; False when nobody sits there."""

        def work(tx: Transaction) -> _Change:
            change, holder = _Change(), sql.open_at(tx, device_id)
            if holder is not None:
                self._end(tx, change, holder, End.TECHNICIAN, actor)
            return change

        return bool((await self._commit(work, within)).departures)

    async def touch(self, session: Session) -> None:
        """The agent has done something: his lease runs anew, and a yielding desk is his again."""
        held = self.current(session.agent)
        if held is None or held.id != session.id:
            return
        self._active_s[session.id] = self._clock.mono_s()
        if held.yields or self._note_due(held):
            await self._commit(lambda tx: _Change(session=sql.note_active(tx, session, session.name)))

    async def client_started(self, device_id: str, computer_name: str) -> bool:
        """The display's client has registered anew: its desk yields to the next agent there, see is_restart.

        The session itself stays: at a shift's change the next agent links from that computer and takes over; after
        a mere crash the same agent goes on. Returns whether the desk yields now.
        """
        if not is_restart(self._displays.computer(device_id), computer_name) or self.at(device_id) is None:
            return False
        change = await self._commit(lambda tx: _Change(session=sql.yield_desk(tx, device_id), renews=False))
        return change.session is not None

    async def bind_workstation(self, device_id: str, computer_name: str, *, actor: str) -> None:
        """A technician says that the display stands at this computer. Raises BadInput, DeviceUnavailable."""
        name, key = display_name(computer_name), computer_key(display_name(computer_name))
        if not key:
            raise BadInput("A computer needs a name.")

        def work(tx: Transaction) -> None:
            if not sql.is_display(tx, device_id):
                raise DeviceUnavailable(f"{device_id} is not an approved display.")
            sql.bind(tx, key, name, device_id, actor)

        await self._db.write(work)
        self._bound.setdefault(key, {})[device_id] = name

    async def unbind_workstation(self, device_id: str, computer_name: str, *, actor: str) -> None:
        """Undo that. Raises NotFound."""
        key = computer_key(computer_name)
        if not await self._db.write(lambda tx: sql.unbind(tx, key, device_id, actor)):
            raise NotFound(f"{computer_name!r} is not bound to this display.")
        self._bound.get(key, {}).pop(device_id, None)

    def _refuse(self, tx: Transaction, agent: str, name: str, computer_name: str, refused: Refused) -> _Change:
        shed = sql.claim(tx, agent, display_name(name), display_name(computer_name), refused)
        return _Change(result=refused, shed=shed)

    def _seat(
        self,
        tx: Transaction,
        agent: str,
        name: str,
        display: str,
        how: How,
        *,
        ousted: End,
        by: str,
        expired: Collection[int],
    ) -> _Change:
        """End whoever holds the display and wherever the agent sits, then begin his session."""
        change = _Change()
        holder, own = sql.open_at(tx, display), sql.open_of(tx, agent)
        if own is not None:
            self._end(tx, change, own, End.EXPIRED if own.id in expired else End.MOVED, agent)
        if holder is not None and holder != own:
            self._end(tx, change, holder, End.EXPIRED if holder.id in expired else ousted, by)
        change.session = sql.begin(tx, agent, display_name(name), display, how)
        sql.settle_claim(tx, agent)
        took_over = holder is not None and holder != own and holder.id not in expired
        change.result = Linked(change.session, holder if took_over else None)
        return change

    def _end(self, tx: Transaction, change: _Change, session: Session, why: End, by: str) -> None:
        departure = sql.end(tx, session, why, by)
        if departure is not None:
            change.departures.append(departure)
            reason = f"The agent's session at this display ended: {why.value}."
            change.after.append(self._pictures.cancel_session(tx, session.id, reason))

    async def _commit(self, work: Work[_Change], within: Within = nothing) -> _Change:
        """Run `work` and copy what it did into memory, also when the caller has gone meanwhile."""

        def both(tx: Transaction) -> _Change:
            change = work(tx)
            within(tx)
            return change

        return await asyncio.shield(asyncio.ensure_future(self._write(both)))

    async def _write(self, work: Work[_Change]) -> _Change:
        change = await self._db.write(work)
        for departure in change.departures:
            self._forget(departure.session)
            if departure.why in TOLD:
                self._tell_later(departure)
        if change.session is not None:
            now_s = self._clock.mono_s()
            self._remember(change.session, now_s if change.renews else self._active_s.get(change.session.id, now_s))
            self._departures.pop(change.session.agent, None)
        for follow in change.after:
            follow()
        self.claims_shed += change.shed
        return change

    def _remember(self, session: Session, active_s: float) -> None:
        self._of[session.agent] = self._at[session.device_id] = session
        self._active_s[session.id] = self._noted_s[session.id] = active_s

    def _forget(self, session: Session) -> None:
        self._of.pop(session.agent, None)
        self._at.pop(session.device_id, None)
        self._active_s.pop(session.id, None)
        self._noted_s.pop(session.id, None)

    def _tell_later(self, departure: Departure) -> None:
        self._departures.pop(departure.session.agent, None)
        self._departures[departure.session.agent] = departure
        while len(self._departures) > DEPARTURES:
            self._departures.popitem(last=False)

    def _plain_refresh(self, agent: str, name: str, named: str | None, computer: str) -> Session | None:
        """The agent's own session when the request asks for just that and nothing needs the disk, as is usual."""
        session = self.current(agent)
        displays = self._bound.get(computer, {})
        target = wanted(named, next(iter(displays)) if len(displays) == 1 else None)
        if session is None or target is None or target[0] != session.device_id or session.yields:
            return None
        if self._note_due(session) or session.name != display_name(name) or self._offline({session.device_id}):
            return None
        self._active_s[session.id] = self._clock.mono_s()
        return session

    def _alive(self, session: Session | None) -> Session | None:
        if session is None or self._idle_s(session) >= LEASE_S:
            return None
        return session if self._displays.named(session.device_id) == session.device_id else None

    def _idle_s(self, session: Session) -> float:
        return self._clock.mono_s() - self._active_s[session.id]

    def _note_due(self, session: Session) -> bool:
        return self._clock.mono_s() - self._noted_s[session.id] >= NOTE_EVERY_S

    def _expired(self) -> frozenset[int]:
        return frozenset(session.id for session in self._of.values() if self._idle_s(session) >= LEASE_S)

    def _offline(self, displays: Collection[str]) -> frozenset[str]:
        return frozenset(display for display in displays if not self._displays.online(display))

    def _at_client(self, device_id: str, computer: str) -> bool:
        return not computer or computer == computer_key(self._displays.computer(device_id))
