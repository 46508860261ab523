"""Vending: what lies in which slot, what was dispensed, and what only a person can settle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from edge.errors import NotFound
from edge.wire import money
from edge.wire.commands import State
from edge.wire.vending import SlotView, TransactionView
from edge.wire.views import CommandView
from tui import ages, command_deeds, slot_deeds
from tui.actions import Action, bindings
from tui.deeds import name
from tui.dialogs.command import CommandDialog
from tui.goods import IN_DOUBT, slot_key
from tui.marks import Mark, of_command
from tui.screens.site_screen import SiteScreen
from tui.widgets.cell import cell, mark_cell, number_cell
from tui.widgets.filter_line import FilterLine
from tui.widgets.key_hints import KeyHints
from tui.widgets.keyed_table import Field, KeyedTable, Row
from tui.wording import counted

SLOTS = (
    Field("machine", "Machine", 12, share=2),
    Field("slot", "Slot", 4),
    Field("item", "Item", 10, share=2),
    Field("price", "Price", 9),
    Field("count", "Holds", 7),
    Field("state", "State", 10, share=3),
)
TRANSACTIONS = (
    Field("state", "Vend", 10),
    Field("machine", "Machine", 10, share=2),
    Field("slot", "Slot", 4),
    Field("item", "Item", 8, share=2),
    Field("at", "Asked", 8),
    Field("by", "Known by", 8),
    Field("reason", "Reason", 8, share=3),
)
SLOT_VERBS = ("vend", "restock", "correct", "set_up")
EVIDENCE = {"sensor": "a sensor", "machine": "its word", "person": "a person"}


class VendingScreen(SiteScreen):
    """Slots above, transactions below; Tab goes there."""

    SCOPE: ClassVar[str] = "vending"
    TAB: ClassVar[str] = "vending"
    BINDINGS: ClassVar[list[BindingType]] = bindings("vending")

    def body(self) -> ComposeResult:
        """Counts, slots, transactions."""
        yield Static(id="counts", classes="heading", markup=False)
        yield KeyedTable(SLOTS, id="slots")
        yield Static("Transactions · Tab to go there", classes="heading", markup=False)
        yield KeyedTable(TRANSACTIONS, id="transactions")

    def fits(self, action: Action) -> bool:
        """Slots are stocked, transactions settled."""
        verb = action.id.partition(".")[2]
        if verb in SLOT_VERBS:
            return self._table().id == "slots" and self._slot() is not None
        if verb == "resolve":
            view = self._transaction()
            return self._table().id == "transactions" and view is not None and view.state == IN_DOUBT
        return verb != "open_row" or self._table().id == "transactions"

    def on_data_table_row_highlighted(self) -> None:
        """The keys that fit the row under the cursor."""
        self.query_one(KeyHints).refresh()

    def on_descendant_focus(self) -> None:
        """The keys that fit the list one went to."""
        self.query_one(KeyHints).refresh()

    def show(self) -> None:
        """Rows and counts."""
        goods, wanted = self.site.goods, self.query_one(FilterLine).filter
        slots = [view for view in goods.slots() if wanted.matches(self._slot_fields(view))]
        vends = [view for view in goods.transactions() if wanted.matches(self._vend_fields(view))]
        self.query_one("#slots", KeyedTable).show([self._slot_row(view) for view in slots], stale=self.stale)
        self.query_one("#transactions", KeyedTable).show([self._vend_row(view) for view in vends], stale=self.stale)
        self.query_one("#counts", Static).update(self._counts(len(slots), wanted.text))

    def subject(self) -> str | None:
        """The machine's id, or the transaction's."""
        key = self._table().current_key()
        return key.partition(" ")[0] if key and self._table().id == "slots" else key

    # What can be done here

    async def do_vend(self) -> None:
        """Dispense one."""
        await self._with_slot(slot_deeds.vend)

    async def do_restock(self) -> None:
        """Put some in."""
        await self._with_slot(slot_deeds.restock)

    async def do_correct(self) -> None:
        """Say how many there are."""
        await self._with_slot(slot_deeds.correct)

    async def do_set_up(self) -> None:
        """Say what is in it."""
        await self._with_slot(slot_deeds.set_up)

    async def do_resolve(self) -> None:
        """Say what happened to a vend in doubt."""
        if command := await self._command():
            await command_deeds.resolve(self, command)

    async def do_open_row(self) -> None:
        """Everything about a vend."""
        if command := await self._command():
            self.app.push_screen(CommandDialog(self.session, command.id))

    async def _with_slot(self, deed: Callable[[SiteScreen, SlotView], Awaitable[None]]) -> None:
        view = self._slot()
        if view is None:
            self.tell("Put the cursor on a slot first.")
        else:
            await deed(self, view)

    async def _command(self) -> CommandView | None:
        """The command of the transaction under the cursor."""
        view = self._transaction()
        if view is None:
            self.tell("Put the cursor on a transaction first: Tab goes to the list below.")
            return None
        if view.id not in self.site.commands:
            try:
                found = await self.session.client.get(f"/v1/commands/{view.id}", CommandView)
            except NotFound:
                self.tell("This vend is too old: the hub keeps its transaction alone.")
                return None
            self.site.put_commands([found])
        return self.site.commands.get(view.id)

    # How it is drawn

    def _table(self) -> KeyedTable:
        below = self.query_one("#transactions", KeyedTable)
        return below if below.has_focus else self.query_one("#slots", KeyedTable)

    def _slot(self) -> SlotView | None:
        return self.site.goods.slot(self.query_one("#slots", KeyedTable).current_key() or "")

    def _transaction(self) -> TransactionView | None:
        return self.site.goods.transaction(self.query_one("#transactions", KeyedTable).current_key() or "")

    def _slot_row(self, view: SlotView) -> Row:
        return Row(
            slot_key(view),
            (
                cell(self.site.device_name(view.device), "strong"),
                number_cell(str(view.slot)),
                cell(view.item or "-"),
                number_cell(money.shown(view.price, view.currency)),
                number_cell(_holds(view), "warn" if view.in_doubt or view.count == 0 else ""),
                _slot_state(view),
            ),
        )

    def _vend_row(self, view: TransactionView) -> Row:
        now = self.session.clock.now()
        return Row(
            view.id,
            (
                mark_cell(_mark(view)),
                cell(self.site.device_name(view.device), "strong"),
                number_cell(str(view.slot)),
                cell(view.item or "-"),
                cell(ages.clock_text(ages.moment(view.created_at), self.site.zone, now)),
                cell(EVIDENCE.get(view.evidence, view.evidence) or "-", "quiet"),
                cell(view.note or view.reason or "-", "quiet"),
            ),
        )

    def _slot_fields(self, view: SlotView) -> dict[str, str]:
        return {
            "machine": f"{view.device} {self.site.device_name(view.device)}",
            "slot": str(view.slot),
            "item": view.item,
            "state": "ready" if view.available else view.why,
        }

    def _vend_fields(self, view: TransactionView) -> dict[str, str]:
        return {
            "machine": f"{view.device} {self.site.device_name(view.device)}",
            "slot": str(view.slot),
            "item": view.item,
            "state": f"{view.state} {_mark(view).word}",
        }

    def _counts(self, shown: int, wanted: str) -> str:
        slots, vends = self.site.goods.slots(), self.site.goods.transactions()
        if not slots:
            return "No vending machine has told of its slots yet." if self.site.ever_reached else ""
        doubtful = sum(view.state == IN_DOUBT for view in vends)
        empty = sum(view.count == 0 for view in slots)
        parts = [f"▲ {counted(doubtful, 'vend')} in doubt: look at the machine, Tab, press v"] if doubtful else []
        parts += [counted(len(slots), "slot")] + ([f"{empty} empty"] if empty else [])
        text = " · ".join(parts)
        return f"Filter “{name(wanted)}” shows {shown} of {len(slots)} · Esc clears it" if wanted else text


def _holds(view: SlotView) -> str:
    held = "?" if view.count is None else str(view.count)
    return f"{held}/{view.capacity}" if view.capacity else held


def _slot_state(view: SlotView) -> Text:
    if view.reserved:
        return mark_cell(Mark("◐", "vending", "busy"))
    if view.in_doubt:
        return mark_cell(Mark("▲", f"in doubt: {view.why}" if view.why else "in doubt", "warn"))
    if view.available:
        return mark_cell(Mark("●", "ready", "good"))
    return mark_cell(Mark("○", view.why or "not now", "quiet"))


def _mark(view: TransactionView) -> Mark:
    try:
        return of_command(State(view.state))
    except ValueError:
        return Mark("?", view.state, "warn")
