"""The dashboards and widgets of apps: made, changed, switched, removed, each by its owner alone.

All are held in memory and changed after their commit. Another account's are not found, as if there were none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from edge.clock import Clock
from edge.devices.model import Device
from edge.errors import Conflict, NotFound, Rejected
from edge.store.database import Database
from edge.store.transaction import Transaction, Within, nothing
from edge.telemetry.twins.model import Twin
from edge.telemetry.twins.twins import Twins
from edge.telemetry.widgets import model as rules
from edge.telemetry.widgets import store as sql
from edge.telemetry.widgets.events import WidgetChanged, WidgetRemoved
from edge.telemetry.widgets.model import Config, Dashboard, Widget

UNCHANGED: Any = msgspec.UNSET
Removing = Callable[[Transaction, str], object]


class Widgets:
    """Every dashboard with its widgets. `removing(tx, widget_id)` runs where a widget goes."""

    def __init__(self, database: Database, clock: Clock, twins: Twins) -> None:
        self._db, self._clock, self._twins = database, clock, twins
        self._boards: dict[str, Dashboard] = {}
        self._widgets: dict[str, Widget] = {}
        self._removing: list[Removing] = []
        self._changing = asyncio.Lock()  # one at a time, so that no pin is given twice

    def on_removal(self, removing: Removing) -> None:
        """Let `removing` take along what hangs on a widget, in the transaction that removes it."""
        self._removing.append(removing)

    async def start(self) -> None:
        """Load all."""
        self._boards = {board.id: board for board in await self._db.write(sql.load_dashboards)}
        self._widgets = {widget.id: widget for widget in await self._db.write(sql.load_widgets)}

    def dashboards(self, owner: str) -> list[Dashboard]:
        """An account's own, oldest first."""
        return [board for board in self._boards.values() if board.owner == owner]

    def dashboard(self, owner: str, dashboard_id: str) -> Dashboard:
        """One of an account's own. Raises NotFound."""
        board = self._boards.get(dashboard_id)
        if board is None or board.owner != owner:
            raise NotFound("Dashboard not found")
        return board

    def widgets(self, owner: str, dashboard_id: str) -> list[Widget]:
        """The widgets of a dashboard, oldest first. Raises NotFound."""
        return list(self._on(self.dashboard(owner, dashboard_id).id))

    def widget(self, owner: str, widget_id: str) -> Widget:
        """One of an account's own. Raises NotFound."""
        widget = self._widgets.get(widget_id)
        if widget is None or self.owner(widget) != owner:
            raise NotFound("Widget not found")
        return widget

    def get(self, widget_id: str) -> Widget:
        """One of anybody's. Raises NotFound."""
        if widget_id not in self._widgets:
            raise NotFound("Widget not found")
        return self._widgets[widget_id]

    def owner(self, widget: Widget) -> str:
        """Whose it is."""
        return self._boards[widget.dashboard_id].owner

    def of_device(self, device_id: str) -> list[Widget]:
        """Every widget that stands for a device."""
        return [widget for widget in self._widgets.values() if widget.device_id == device_id]

    def dashboard_of(self, widget_id: str) -> str:
        """The id of the dashboard a widget stands on, '' when it is gone."""
        widget = self._widgets.get(widget_id)
        return widget.dashboard_id if widget else ""

    async def add_dashboard(self, owner: str, name: object, description: object) -> Dashboard:
        """A new, empty one. Raises BadInput, Conflict."""
        board = Dashboard(
            id=rules.new_id(),
            owner=owner,
            name=rules.text(name, "name"),
            description=rules.text(description or "", "description", least=0),
            created_us=self._clock.now().at_us,
        )
        async with self._changing:
            if len(self.dashboards(owner)) >= rules.DASHBOARDS:
                raise Conflict(f"An account has at most {rules.DASHBOARDS} dashboards.")
            await self._db.write(lambda tx: sql.save_dashboard(tx, board))
            self._boards[board.id] = board
        return board

    async def lay_out(self, owner: str, dashboard_id: str, layout: list[Config]) -> Dashboard:
        """Keep where the app draws what. Raises NotFound, TooLarge."""
        rules.bounded(layout, "layout", rules.LAYOUT_BYTES)
        async with self._changing:
            board = msgspec.structs.replace(self.dashboard(owner, dashboard_id), layout=layout)
            await self._db.write(lambda tx: sql.save_dashboard(tx, board))
            self._boards[board.id] = board
        return board

    async def delete_dashboard(self, owner: str, dashboard_id: str) -> None:
        """Remove it with its widgets. Raises NotFound."""
        async with self._changing:
            board = self.dashboard(owner, dashboard_id)
            await self._remove(list(self._on(board.id)), board)

    async def add(
        self,
        owner: str,
        dashboard_id: str,
        device: Device | None,
        kind: object,
        label: object,
        value: Any,
        config: Config,
    ) -> Widget:
        """A new widget; one that switches gets the lowest free pin of its device. Raises NotFound, BadInput."""
        kind, label = rules.text(kind, "type"), rules.text(label or "", "label", least=0)
        rules.bounded(value, "value")
        rules.bounded(config, "config")
        async with self._changing:
            board = self.dashboard(owner, dashboard_id)
            if sum(1 for _ in self._on(board.id)) >= rules.WIDGETS:
                raise Conflict(f"A dashboard has at most {rules.WIDGETS} widgets.")
            taken = {widget.pin for widget in self.of_device(device.id) if widget.pin} if device else set()
            pin = rules.choose_pin(kind, config.get("virtual_pin"), taken) if device else None
            widget = Widget(
                id=rules.new_id(),
                dashboard_id=board.id,
                device_id=device.id if device else "",
                type=kind,
                label=label,
                value=value,
                config={**config, "virtual_pin": pin} if pin else config,
                pin=pin,
                created_us=self._clock.now().at_us,
            )
            await self._save(owner, widget)
        return widget

    async def change(
        self, owner: str, widget_id: str, *, label: Any = UNCHANGED, config: Any = UNCHANGED, value: Any = UNCHANGED
    ) -> Widget:
        """Another label, config or value; a pin stays. Raises NotFound, BadInput, TooLarge."""
        async with self._changing:
            widget = self.widget(owner, widget_id)
            if label is not UNCHANGED:
                widget = msgspec.structs.replace(widget, label=rules.text(label or "", "label", least=0))
            if config is not UNCHANGED:
                pin = {"virtual_pin": widget.pin} if widget.pin else {}
                widget = msgspec.structs.replace(widget, config={**rules.bounded(config, "config"), **pin})
            if value is not UNCHANGED:
                widget = msgspec.structs.replace(widget, value=rules.bounded(value, "value"))
            await self._save(owner, widget)
        return widget

    async def delete(self, owner: str, widget_id: str) -> None:
        """Remove it. Raises NotFound."""
        async with self._changing:
            await self._remove([self.widget(owner, widget_id)])

    async def switch(self, widget: Widget, state: int, *, actor: str, within: Within = nothing) -> Twin:
        """Desire `state` at the widget's pin, in one transaction with `within`. Raises Rejected."""
        pin = switched(widget)

        def work(tx: Transaction) -> Twin:
            twin = self._twins.apply(tx, widget.device_id, {pin: state}, actor)
            within(tx)
            return twin

        return await self._db.write(work)

    async def drop_device(self, device_id: str) -> None:
        """Remove the widgets of a device that is being forgotten."""
        async with self._changing:
            await self._remove(self.of_device(device_id))

    async def drop_owners(self, is_gone: Callable[[str], bool]) -> None:
        """Remove the dashboards of accounts that are gone."""
        async with self._changing:
            for board in [board for board in self._boards.values() if is_gone(board.owner)]:
                await self._remove(list(self._on(board.id)), board)

    def _on(self, dashboard_id: str) -> Iterable[Widget]:
        return (widget for widget in self._widgets.values() if widget.dashboard_id == dashboard_id)

    async def _save(self, owner: str, widget: Widget) -> None:
        def save(tx: Transaction) -> None:
            sql.save_widget(tx, widget)
            tx.after(lambda: self._widgets.update({widget.id: widget}))  # before anybody is told
            tx.tell(WidgetChanged(owner=owner, widget=widget))

        await self._db.write(save)

    async def _remove(self, widgets: list[Widget], board: Dashboard | None = None) -> None:
        def remove(tx: Transaction) -> None:
            for widget in widgets:
                for removing in self._removing:
                    removing(tx, widget.id)
                sql.delete_widget(tx, widget.id)
                tx.tell(
                    WidgetRemoved(
                        owner=self.owner(widget),
                        widget_id=widget.id,
                        dashboard_id=widget.dashboard_id,
                        device_id=widget.device_id,
                    )
                )
            if board is not None:
                sql.delete_dashboard(tx, board.id)
            tx.after(gone)

        def gone() -> None:
            for widget in widgets:
                self._widgets.pop(widget.id, None)
            if board is not None:
                self._boards.pop(board.id, None)

        await self._db.write(remove)


def switched(widget: Widget) -> str:
    """The pin a widget switches. Raises Rejected for one that switches nothing."""
    if widget.pin is None or not widget.device_id:
        raise Rejected("This widget switches nothing: it has no device, or its type has no pin.")
    return widget.pin
