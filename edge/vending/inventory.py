"""What lies in the machines: set up, stocked, counted, and compared with what was dispensed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

import msgspec

from edge.commands.commands import Commands
from edge.commands.intake import other_request
from edge.commands.model import Command
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import BadInput, Conflict, NotFound, Rejected
from edge.store.database import Database
from edge.store.transaction import Transaction
from edge.vending import store as sql
from edge.vending.events import SlotChanged, TransactionChanged
from edge.vending.model import (
    ITEM_CHARS,
    NOTE_CHARS,
    PIECES_MAX,
    PRICE_MAX,
    SLOTS_MAX,
    Asked,
    Machine,
    Movement,
    Slot,
    Stock,
    Vend,
    slots_said,
)
from edge.wire.vending import Agreement, SetSlot

KIND = "vending"
DISAGREEMENTS_SHOWN = 20  # of each sort; more say nothing new
CURRENCY_LETTERS = 3  # ISO 4217
FORGOTTEN = "The machine was forgotten."
ANSWERS_KEPT_US = 7 * 24 * 3600 * 1_000_000  # whoever lost an answer asks again within minutes; a week of slack


class Inventory:
    """Every slot, its movements, and the vends."""

    def __init__(self, database: Database, registry: Registry, commands: Commands) -> None:
        self._db, self._registry, self._commands = database, registry, commands
        self._reported: dict[str, int] = {}  # by machine: how many slots it has, by its own report

    async def start(self) -> None:
        """Load what machines have said of themselves."""
        self._reported = {row[0]: row[1] for row in await self._db.read(sql.REPORTED)}

    # --- looking

    async def machines(self, device: Device | None = None) -> list[Machine]:
        """Each vending machine that is not forgotten as it stands, or this one alone."""
        rows = await self._db.read(sql.STANDING, (device.id if device else "",))
        known = [device] if device else [known for known in self._registry.all() if known.kind == KIND]
        by_device: dict[str, list[object]] = {}
        for row in rows:
            by_device.setdefault(row[0], []).append(row)
        return [sql.standing(one.id, one.name, self._said(one), by_device.get(one.id, ())) for one in known]

    async def slots(self, device: Device | None = None) -> list[Slot]:
        """Every slot of every machine, or of this one."""
        machines = await self.machines(device)
        return [machine.slot(number) for machine in machines for number in machine.numbers()]

    async def slot(self, device: Device, number: int) -> Slot:
        """One slot. Raises NotFound."""
        (machine,) = await self.machines(require_machine(device))
        if not machine.has(number):
            raise machine.no_slot(number)
        return machine.slot(number)

    async def vends(
        self, *, device_id: str = "", state: str = "", before: int | None = None, limit: int
    ) -> list[Vend]:
        """Newest first, those asked for before number `before`."""
        query, values = sql.vends_query(device_id, state, before, limit)
        return [self.dated(sql.vend(row)) for row in await self._db.read(query, values)]

    async def vend_of(self, command_id: str) -> Vend:
        """One vend. Raises NotFound."""
        rows = await self._db.read(sql.ONE_VEND, (command_id,))
        if not rows:
            raise NotFound(f"There is no vend {command_id!r}.", hint="`outpost transaction list` shows them.")
        return self.dated(sql.vend(rows[0]))

    async def movements(
        self, *, device_id: str = "", slot: int | None = None, before: int | None = None, limit: int
    ) -> list[Movement]:
        """Newest first, those before number `before`."""
        query, values = sql.movements_query(device_id, slot, before, limit)
        found = [sql.movement(row) for row in await self._db.read(query, values)]
        when = self._db.boots.when
        return [msgspec.structs.replace(one, at_us=when(one.at_us, one.clock), clock=None) for one in found]

    async def agreement(self) -> Agreement:
        """Whether counts, movements, transactions and commands say the same."""
        wrong = [row[0] for row in await self._db.read(sql.AGREEMENT, (DISAGREEMENTS_SHOWN,))]
        slots, movements, transactions, in_doubt = (await self._db.read(sql.SIZES))[0]
        return Agreement(
            slots=slots, movements=movements, transactions=transactions, in_doubt=in_doubt, disagreements=wrong
        )

    # --- changing

    async def set_slot(self, device: Device, number: int, wanted: SetSlot, *, actor: str) -> Slot:
        """Say what is in a slot; from then on it is counted, beginning with none.

        Raises NotFound, BadInput, Rejected, or Conflict where a vend from an uncounted slot is not settled.
        """
        wanted = _checked(wanted)

        def work(tx: Transaction, machine: Machine) -> None:
            before = _counted_from_now(machine, number)
            given = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not None}
            after = msgspec.structs.replace(before, **given)
            if after.price and not after.currency:
                raise Rejected("A price needs its currency.", hint="Give it in three letters, such as EUR or INR.")
            if after.capacity and after.capacity < after.count:
                raise Rejected(f"{after.count} are in it already; no fewer than these must fit.")
            if after != before or number not in machine.stocks:
                sql.save_slot(tx, after, actor)

        return await self._change(device, number, work)

    async def restock(
        self, device: Device, number: int, add: int, *, actor: str, note: str = "", idempotency_key: str = ""
    ) -> Slot:
        """Put so many in; once, however often the same is asked under one key.

        Raises NotFound, BadInput, or Rejected where they do not fit, or the key was used for something else.
        """
        if not 1 <= add <= PIECES_MAX:
            raise BadInput(f"A restock adds 1 to {PIECES_MAX} pieces.")
        note = _text(note, NOTE_CHARS, "A note")

        def work(tx: Transaction, machine: Machine) -> None:
            stock = _counted_from_now(machine, number)
            _require_room(stock, stock.count + add)
            if number not in machine.stocks:
                sql.save_slot(tx, stock, actor)
            after = sql.move(tx, stock, "restock", add, actor, note=note)
            tx.fact("slot.restocked", device.id, slot=number, change=add, count=after.count, by=actor)

        asked = _asked(idempotency_key, actor, device.id, number, "restock", add, note)
        return await self._change(device, number, work, asked)

    async def correct(
        self, device: Device, number: int, count: int, *, actor: str, note: str = "", idempotency_key: str = ""
    ) -> Slot:
        """Say how many are there. Raises NotFound, BadInput, Rejected, or Conflict while a vend from it is not
        settled: whoever counted has seen what came of it, so the vend must be settled first, or it is taken twice.
        """
        if not 0 <= count <= PIECES_MAX:
            raise BadInput(f"A count is 0 to {PIECES_MAX}.")
        note = _text(note, NOTE_CHARS, "A note")

        def work(tx: Transaction, machine: Machine) -> None:
            _require_settled(machine, number)
            stock = _counted_from_now(machine, number)
            _require_room(stock, count)
            if number not in machine.stocks:
                sql.save_slot(tx, stock, actor)
            change = count - stock.count
            sql.move(tx, stock, "correction", change, actor, note=note)
            tx.fact("slot.corrected", device.id, slot=number, change=change, count=count, by=actor)

        asked = _asked(idempotency_key, actor, device.id, number, "correction", count, note)
        return await self._change(device, number, work, asked)

    async def vend(
        self,
        device: Device,
        number: int,
        *,
        actor: str,
        note: str = "",
        ttl_s: float | None = None,
        idempotency_key: str = "",
    ) -> Command:
        """Have one dispensed, once: the command is on disk when this returns. Raises as Commands.accept does, and
        NotFound, Conflict, Busy or DeviceUnavailable where nothing can be vended now.
        """
        note = _text(note, NOTE_CHARS, "A note")
        command = await self._commands.accept(
            device, "vend", {"slot": number}, actor=actor, ttl_s=ttl_s, idempotency_key=idempotency_key
        )
        if note:
            await self._db.write(lambda tx: note_vend(tx, command.id, note))
        return command

    async def has_said(self, device: Device, slots: object) -> None:
        """A machine reports how many slots it has; what no machine can have is passed over."""
        if device.kind != KIND or isinstance(slots, bool) or not isinstance(slots, int):
            return
        if slots == self._reported.get(device.id) or not 1 <= slots <= SLOTS_MAX:
            return

        def work(tx: Transaction) -> None:
            sql.save_machine(tx, device.id, slots)
            tx.after(lambda: self._reported.update({device.id: slots}))
            machine = sql.machine(tx, device.id)
            for number in machine.numbers():
                tx.tell(SlotChanged(slot=machine.slot(number)))

        await self._db.write(work)

    def dated(self, vend: Vend) -> Vend:
        """A vend with the times it is really of."""
        if vend.created_clock is None and vend.ended_clock is None:
            return vend
        when = self._db.boots.when
        return msgspec.structs.replace(
            vend,
            created_us=when(vend.created_us, vend.created_clock),
            created_clock=None,
            ended_us=vend.ended_us and when(vend.ended_us, vend.ended_clock),
            ended_clock=None,
        )

    def _said(self, device: Device) -> int | None:
        return self._reported.get(device.id) or slots_said(device.profile, device.facts)

    async def forget(self, device: Device, actor: str) -> None:
        """A machine is being forgotten: its slots go; its movements and transactions stay."""
        await self._db.write(lambda tx: sql.remove_slots(tx, device.id, actor, FORGOTTEN))

    async def _change(
        self,
        device: Device,
        number: int,
        work: Callable[[Transaction, Machine], None],
        asked: Asked | None = None,
    ) -> Slot:
        require_machine(device)

        def change(tx: Transaction) -> Slot:
            earlier = sql.answered(tx, asked) if asked else None
            if asked and earlier:
                return _earlier_answer(asked, earlier)
            machine = sql.machine(tx, device.id)
            if not machine.has(number):
                raise machine.no_slot(number)
            work(tx, machine)
            after = sql.machine(tx, device.id)
            # with the first slot set up the whole machine is counted: all its slots have changed
            for one in after.numbers() if after.counted != machine.counted else [number]:
                tx.tell(SlotChanged(slot=after.slot(one)))
            if asked:
                sql.keep_answer(tx, asked, after.slot(number), ANSWERS_KEPT_US)
            return after.slot(number)

        return await self._db.write(change)


def require_machine(device: Device) -> Device:
    """The device, if it is one that has slots. Raises Rejected."""
    if device.kind != KIND:
        raise Rejected(f"{device.name} is a {device.kind or 'device'}; slots are for vending machines.")
    return device


def _asked(key: str, actor: str, *what: str | int) -> Asked | None:
    """A request that may come again; None without a key."""
    body_hash = blake2b(msgspec.json.encode(what), digest_size=16).digest()
    return Asked(actor=actor, key=key, body_hash=body_hash) if key else None


def _earlier_answer(asked: Asked, earlier: tuple[bytes, Slot]) -> Slot:
    """What the same request was answered. Raises Rejected when it asked for something else."""
    body_hash, answer = earlier
    if body_hash != asked.body_hash:
        raise other_request()
    return answer


def note_vend(tx: Transaction, command_id: str, note: str) -> None:
    """Keep what the asker wrote about a vend, unless somebody has written already."""
    sql.note_vend(tx, command_id, note)
    noted = sql.one_vend(tx, command_id)
    assert noted is not None
    tx.tell(TransactionChanged(vend=noted))


def _counted_from_now(machine: Machine, number: int) -> Stock:
    """The slot as set up, or a new one. Raises Conflict for a new one with a vend that nobody counted."""
    stock = machine.stocks.get(number)
    if stock is not None:
        return stock
    _require_settled(machine, number)
    return Stock(device_id=machine.device_id, slot=number)


def _require_settled(machine: Machine, number: int) -> None:
    for vend in machine.unsettled:
        if vend.slot == number:
            raise Conflict(
                f"A vend from slot {number} of {machine.name} is not settled ({vend.command_id}), so nobody can say"
                " how many there should be.",
                hint=f"See how it stands: `outpost transaction show {vend.command_id}`.",
            )


def _require_room(stock: Stock, count: int) -> None:
    most = stock.capacity or PIECES_MAX
    if count > most:
        raise Rejected(
            f"Slot {stock.slot} takes {most}, and would hold {count}.",
            hint=f"Put in less, or `outpost slot set {stock.device_id} {stock.slot} --capacity {count}`.",
        )


def _checked(wanted: SetSlot) -> SetSlot:
    """What was asked for, tidied. Raises BadInput for what no slot can be."""
    item = None if wanted.item is None else _text(wanted.item, ITEM_CHARS, "An item")
    if not 0 <= (wanted.price or 0) <= PRICE_MAX:
        raise BadInput(f"A price is 0 to {PRICE_MAX}, in the smallest unit of its currency.")
    if not 0 <= (wanted.capacity or 0) <= PIECES_MAX:
        raise BadInput(f"A capacity is 0 (nobody knows) to {PIECES_MAX}.")
    currency = None if wanted.currency is None else wanted.currency.strip().upper()
    if currency and not (len(currency) == CURRENCY_LETTERS and currency.isascii() and currency.isalpha()):
        raise BadInput("A currency has three letters, such as EUR or INR.")
    return msgspec.structs.replace(wanted, item=item, currency=currency)


def _text(text: str, most: int, what: str) -> str:
    text = text.strip()
    if len(text) > most or not text.isprintable():
        raise BadInput(f"{what} has at most {most} printable characters.")
    return text
