"""What the centre may ask of this hub: commands, their settling, desired state, who sits where, updates.

Everything goes the way it goes when somebody asks here, under the same rules; nothing the centre sends is trusted
further than its type.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, Protocol, TypeVar

import msgspec

from edge.access.accounts.model import Person
from edge.commands.commands import Commands
from edge.commands.intake import not_approved, unseated
from edge.devices.agents.agents import Agents
from edge.devices.agents.model import Linked, Refused, Session, agent_key
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import BadInput, DeviceUnavailable, NotFound, NotSeated, OutpostError, Rejected
from edge.store.database import Database
from edge.store.transaction import Transaction, Within
from edge.sync.model import is_word
from edge.wire.centre_content import CONTENT
from edge.wire.commands import State
from edge.wire.kinds import NOTE_CHARS
from edge.wire.sync import Item
from edge.wire.views import Json

ACTOR = "centre:"  # how the names of those begin who ask through the centre
ACTOR_CHARS = 200
ID_CHARS = 64

T = TypeVar("T", bound=msgspec.Struct)
Desire = Callable[[Device, Mapping[str, Json], str, Within], Awaitable[object]]
Switch = Callable[[str, int, str, Within], Awaitable[object]]
Keep = Callable[[Person, str, Within], Awaitable[object]]
NoteVend = Callable[[Transaction, str, str], None]
ChangeAssets = Callable[[Mapping[str, Json], str, Within], Awaitable[object]]
RollOut = Callable[[Mapping[str, Json], str, Within], Awaitable[object]]
PublishHere = Callable[[Mapping[str, Json], str, Within], Awaitable[object]]


class _Command(msgspec.Struct, kw_only=True):
    id: str
    device: str
    kind: str
    args: dict[str, Json] = {}
    agent: str = ""
    note: str = ""


class _Cancel(msgspec.Struct, kw_only=True):
    command: str
    reason: str = ""


class _Resolve(msgspec.Struct, kw_only=True):
    command: str
    outcome: str
    note: str


class _Twin(msgspec.Struct, kw_only=True):
    device: str
    desired: dict[str, Json]


class _Link(msgspec.Struct, kw_only=True):
    agent: str
    device: str
    name: str = ""


class _Claim(msgspec.Struct, kw_only=True):
    agent: str
    name: str = ""
    device: str = ""
    computer_name: str = ""


class _Widget(msgspec.Struct, kw_only=True):
    widget: str
    state: Literal[0, 1]


def signed_alone(roll_out: RollOut) -> RollOut:
    """The same, but that head office marks no device as one that takes unsigned firmware."""

    async def apply(body: Mapping[str, Json], actor: str, within: Within) -> None:
        if body.get("do") == "legacy" and body.get("legacy"):
            raise Rejected(
                "This hub takes no unsigned firmware from head office.",
                hint="Mark the device at the hub, or set sync.unsigned_firmware there.",
            )
        await roll_out(body, actor, within)

    return apply


class End(Protocol):
    """Writes what became of an item."""

    def __call__(self, tx: Transaction, detail: str = "", refused: OutpostError | None = None) -> None:
        """It is done, with this to tell; or it is `refused`, whatever else the transaction writes."""


class SiteOrders:
    """`desire(device, values, actor, within)` sets desired state, `switch(widget, state, actor, within)` that of a
    widget's device, `keep(person, actor, within)` has an account for somebody; `note_vend(tx, command, note)`
    keeps a note; `change_assets(body, actor, within)` changes what is defined and said of assets; `roll_out(body,
    actor, within)` offers firmware to devices, or takes it back; `publish(body, actor, within)` publishes a
    document."""

    def __init__(
        self,
        database: Database,
        commands: Commands,
        registry: Registry,
        agents: Agents,
        *,
        desire: Desire,
        switch: Switch,
        keep: Keep,
        note_vend: NoteVend,
        change_assets: ChangeAssets,
        roll_out: RollOut,
        publish: PublishHere,
    ) -> None:
        self._db, self._commands, self._registry, self._agents = database, commands, registry, agents
        self._desire, self._switch, self._keep, self._note_vend = desire, switch, keep, note_vend
        # kinds whose body is read where it is done
        self._whole = {"asset": change_assets, "firmware": roll_out, CONTENT: publish}

    async def apply(self, item: Item, left_s: float | None, end: End) -> None:
        """Do it, in one transaction with `end`. Raises OutpostError; then nothing of it is done."""
        actor, within = ACTOR + item.actor[:ACTOR_CHARS], end
        if item.kind == "command":
            await self._command(_body(item, _Command), left_s, actor, within)
        elif item.kind == "cancel":
            cancel = _body(item, _Cancel)
            command = await self._commands.get(cancel.command)
            await self._commands.cancel(command, cancel.reason[:NOTE_CHARS], within=within)
        elif item.kind == "resolve":
            await self._resolve(_body(item, _Resolve), actor, within)
        elif item.kind == "twin":
            await self._twin(_body(item, _Twin), actor, within)
        elif item.kind == "link":
            await self._link(_body(item, _Link), actor, within)
        elif item.kind == "claim":
            await self._claim(_body(item, _Claim), actor, end)
        elif item.kind == "person":
            await self._keep(_body(item, Person), actor, within)
        elif item.kind == "widget":
            widget = _body(item, _Widget)
            await self._switch(widget.widget, widget.state, actor, within)
        elif item.kind in self._whole:
            await self._whole[item.kind](item.body, actor, within)
        else:
            raise BadInput(f"This hub does not know how to do {item.kind[:40]!r}; update it.")

    async def _command(self, asked: _Command, left_s: float | None, actor: str, within: Within) -> None:
        if not is_word(asked.id, ID_CHARS):
            raise BadInput("A command needs an id of printable characters.")
        if await self._is_known(asked.id):
            await self._db.write(within)
            return
        device = self._registry.get(asked.device)
        note, session = asked.note[:NOTE_CHARS] if asked.kind == "vend" else "", self._session(asked, device)

        def with_note(tx: Transaction) -> None:
            within(tx)
            if note:
                self._note_vend(tx, asked.id, note)

        await self._commands.accept(
            device,
            asked.kind,
            asked.args,
            actor=actor,
            session_id=session.id if session else None,
            agent=asked.agent,
            ttl_s=left_s,
            command_id=asked.id,
            within=with_note,
        )
        if session is not None:
            await self._agents.touch(session)

    def _session(self, asked: _Command, device: Device) -> Session | None:
        """The seat that a command for an agent is bound to. Raises DeviceUnavailable when he sits elsewhere."""
        if not asked.agent:
            return None
        session = self._agents.current(agent_key(asked.agent))
        if session is None or session.device_id != device.id:
            raise unseated(device)
        return session

    async def _is_known(self, command_id: str) -> bool:
        try:
            await self._commands.get(command_id)
        except NotFound:
            return False
        return True

    async def _resolve(self, asked: _Resolve, actor: str, within: Within) -> None:
        if asked.outcome not in (State.SUCCEEDED.value, State.FAILED.value) or not asked.note.strip():
            raise BadInput("A command in doubt is resolved as `succeeded` or `failed`, with a note.")
        command = await self._commands.get(asked.command)
        happened = asked.outcome == State.SUCCEEDED.value
        await self._commands.resolve(command, happened, asked.note[:NOTE_CHARS], actor=actor, within=within)

    async def _twin(self, asked: _Twin, actor: str, within: Within) -> None:
        device = self._registry.get(asked.device)
        if not device.approved:
            raise not_approved(device)
        await self._desire(device, asked.desired, actor, within)

    async def _claim(self, asked: _Claim, actor: str, end: End) -> None:
        """As an app at the site asks for a display: one who may not have it waits for a technician."""

        def told(tx: Transaction, result: Linked | Refused) -> None:
            if isinstance(result, Linked):
                end(tx, result.session.device_id)
            else:
                end(tx, refused=NotSeated(result.why.value))

        device, computer = asked.device, asked.computer_name
        result = await self._agents.link(
            agent_key(asked.agent), asked.name, device_id=device, computer_name=computer, told=told
        )
        if isinstance(result, Linked) and result.earlier is not None:
            # the earlier agent's code must not stay up; where the queue is full, it goes by itself in a while
            with contextlib.suppress(DeviceUnavailable, Rejected):
                display = self._registry.get(result.session.device_id)
                await self._commands.accept(
                    display, "start_rotation", {}, actor=actor, session_id=result.session.id
                )

    async def _link(self, asked: _Link, actor: str, within: Within) -> None:
        device = self._registry.get(asked.device)
        if asked.agent:
            await self._agents.seat(agent_key(asked.agent), asked.name, device.id, actor=actor, within=within)
        else:
            await self._agents.end(device.id, actor=actor, within=within)


def _body(item: Item, kind: type[T]) -> T:
    try:
        return msgspec.convert(item.body, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"What the centre sent cannot be used: {error}.") from error
