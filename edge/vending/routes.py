"""/v1 of vending: slots, vends, transactions, movements, and whether all of these agree."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from edge.clock import Clock
from edge.commands.views import command_view
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.devices.registry import Registry
from edge.errors import BadInput
from edge.serving.roles import Role
from edge.serving.routing import LIST_MAX, Answer, Call, Created, Page, Route
from edge.serving.table import send_csv
from edge.store.boots import Boots
from edge.vending.inventory import Inventory
from edge.vending.model import Slot, Vend, slot_number
from edge.vending.views import movement_view, slot_view, vend_view
from edge.wire.commands import State
from edge.wire.kinds import KEY_CHARS
from edge.wire.vending import (
    Agreement,
    MovementView,
    Restock,
    SetSlot,
    SlotView,
    TransactionView,
    Vended,
)
from edge.wire.vending import Vend as Wanted

STATES = ("open", *(state.value for state in State))
CSV = "text/csv"


class VendingRoutes:
    """The routes of this capability."""

    def __init__(
        self, inventory: Inventory, registry: Registry, presences: Presences, clock: Clock, boots: Boots
    ) -> None:
        self._inventory, self._registry, self._presences = inventory, registry, presences
        self._clock, self._boots = clock, boots

    def all(self) -> list[Route]:
        """Every route."""
        return [*self._of_slots(), *self._of_vends()]

    def _of_slots(self) -> list[Route]:
        tech, viewer, view = Role.TECHNICIAN, Role.VIEWER, SlotView
        one = "/v1/devices/{id}/slots/{slot}"
        every = "Every slot: what lies in it, and whether it would vend now"
        stock = "Put some in, or say how many there are"
        moves = "Every change of a count, newest first"
        asked = ("device", "slot")
        return [
            Route(
                "GET",
                "/v1/slots",
                self.slots,
                every,
                viewer,
                app=True,
                returns=view,
                many=True,
                query=("device",),
            ),
            Route("PUT", one, self.set_slot, "Say what is in a slot", tech, body=SetSlot, returns=view),
            Route("POST", one + "/restock", self.restock, stock, tech, body=Restock, returns=view),
            Route(
                "GET", "/v1/movements", self.movements, moves, viewer, returns=MovementView, many=True, query=asked
            ),
            Route(
                "GET",
                "/v1/movements.csv",
                self.movements_csv,
                "The same as CSV, all of them",
                viewer,
                returns=MovementView,
                stream=CSV,
                query=asked,
            ),
            Route(
                "GET",
                "/v1/vending/agreement",
                self.agreement,
                "Whether counts, movements and transactions agree",
                viewer,
                returns=Agreement,
            ),
        ]

    def _of_vends(self) -> list[Route]:
        viewer, view = Role.VIEWER, TransactionView
        asked = ("device", "state")
        return [
            Route(
                "POST",
                "/v1/devices/{id}/slots/{slot}/vend",
                self.vend,
                "Have one dispensed, once; 201 once it is on disk",
                Role.TECHNICIAN,
                app=True,
                body=Wanted,
                returns=Vended,
                created=True,
            ),
            Route(
                "GET",
                "/v1/transactions",
                self.transactions,
                "Vends, newest first",
                viewer,
                returns=view,
                many=True,
                query=asked,
            ),
            Route(
                "GET",
                "/v1/transactions.csv",
                self.transactions_csv,
                "The same as CSV, all of them",
                viewer,
                returns=view,
                stream=CSV,
                query=asked,
            ),
            Route("GET", "/v1/transactions/{id}", self.transaction, "One vend", viewer, returns=view),
        ]

    async def slots(self, call: Call) -> Answer:
        """GET /v1/slots?device=."""
        named = call.query("device")
        return Page([self._slot(slot) for slot in await self._inventory.slots(self._named(named))])

    async def set_slot(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/slots/{slot}."""
        wanted: SetSlot = call.body
        device, number = self._device(call), slot_number(call.param("slot"))
        return self._slot(await self._inventory.set_slot(device, number, wanted, actor=call.actor))

    async def restock(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/slots/{slot}/restock."""
        wanted: Restock = call.body
        device, number = self._device(call), slot_number(call.param("slot"))
        if wanted.add is not None and wanted.count is None:
            done = await self._inventory.restock(
                device, number, wanted.add, actor=call.actor, note=wanted.note, idempotency_key=_key(call)
            )
        elif wanted.count is not None and wanted.add is None:
            done = await self._inventory.correct(
                device, number, wanted.count, actor=call.actor, note=wanted.note, idempotency_key=_key(call)
            )
        else:
            raise BadInput("Give either `add` (how many you put in) or `count` (how many there are).")
        return self._slot(done)

    async def vend(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/slots/{slot}/vend."""
        wanted: Wanted = call.body
        device, number = self._device(call), slot_number(call.param("slot"))
        command = await self._inventory.vend(
            device, number, actor=call.actor, note=wanted.note, ttl_s=wanted.ttl_s, idempotency_key=_key(call)
        )
        slot = self._slot(await self._inventory.slot(device, number))
        return Created(Vended(command=command_view(command, self._clock.now(), self._boots), slot=slot))

    async def transactions(self, call: Call) -> Answer:
        """GET /v1/transactions?device=&state=."""
        device_id, state = self._wanted(call)
        found = await self._inventory.vends(
            device_id=device_id, state=state, before=call.cursor(), limit=call.limit()
        )
        more = str(found[-1].number) if len(found) == call.limit() else None
        return Page([self._vend(vend) for vend in found], more)

    async def transactions_csv(self, call: Call) -> Answer:
        """GET /v1/transactions.csv?device=&state=."""
        device_id, state = self._wanted(call)

        async def pages() -> AsyncIterator[list[tuple[object, ...]]]:
            before = None
            while found := await self._inventory.vends(
                device_id=device_id, state=state, before=before, limit=LIST_MAX
            ):
                yield [msgspec.structs.astuple(self._vend(vend)) for vend in found]
                before = found[-1].number

        return await send_csv(call, "transactions", TransactionView.__struct_fields__, pages())

    async def transaction(self, call: Call) -> Answer:
        """GET /v1/transactions/{id}."""
        return self._vend(await self._inventory.vend_of(call.param("id")))

    async def movements(self, call: Call) -> Answer:
        """GET /v1/movements?device=&slot=."""
        device, slot = self._named(call.query("device")), _slot_asked(call)
        found = await self._inventory.movements(
            device_id=device.id if device else "", slot=slot, before=call.cursor(), limit=call.limit()
        )
        more = str(found[-1].number) if len(found) == call.limit() else None
        return Page([movement_view(movement) for movement in found], more)

    async def movements_csv(self, call: Call) -> Answer:
        """GET /v1/movements.csv?device=&slot=."""
        device, slot = self._named(call.query("device")), _slot_asked(call)

        async def pages() -> AsyncIterator[list[tuple[object, ...]]]:
            before = None
            while found := await self._inventory.movements(
                device_id=device.id if device else "", slot=slot, before=before, limit=LIST_MAX
            ):
                yield [msgspec.structs.astuple(movement_view(movement)) for movement in found]
                before = found[-1].number

        return await send_csv(call, "movements", MovementView.__struct_fields__, pages())

    async def agreement(self, call: Call) -> Answer:
        """GET /v1/vending/agreement."""
        return await self._inventory.agreement()

    def _device(self, call: Call) -> Device:
        return self._registry.get(call.param("id"))

    def _named(self, name: str) -> Device | None:
        return self._registry.get(name) if name else None

    def _wanted(self, call: Call) -> tuple[str, str]:
        device, state = self._named(call.query("device")), call.query("state")
        if state and state not in STATES:
            raise BadInput(f"There is no state {state[:40]!r}; known: {', '.join(STATES)}.")
        return device.id if device else "", state

    def _slot(self, slot: Slot) -> SlotView:
        return slot_view(slot, online=self._presences.online(self._registry.known(slot.stock.device_id)))

    def _vend(self, vend: Vend) -> TransactionView:
        return vend_view(vend, self._registry.known(vend.device_id).name)


def _key(call: Call) -> str:
    """Under which key a request may come again; '' for none. Raises BadInput."""
    key = call.request.headers.get("Idempotency-Key", "")
    if len(key) > KEY_CHARS:
        raise BadInput(f"An Idempotency-Key has at most {KEY_CHARS} characters.")
    return key


def _slot_asked(call: Call) -> int | None:
    asked = call.query("slot")
    return slot_number(asked) if asked else None
