"""The only SQL for dashboards and widgets."""

from __future__ import annotations

import msgspec

from edge.store.transaction import Transaction
from edge.telemetry.widgets.model import Dashboard, Widget

_json = msgspec.json.Encoder(order="sorted").encode
_DASHBOARD = "id, owner, name, description, layout, created_us"
_WIDGET = "id, dashboard_id, device_id, type, label, value, config, pin, created_us"


def load_dashboards(tx: Transaction) -> list[Dashboard]:
    """Every dashboard, oldest first."""
    return [
        Dashboard(
            id=row[0],
            owner=row[1],
            name=row[2],
            description=row[3],
            layout=msgspec.json.decode(row[4]),
            created_us=row[5],
        )
        for row in tx.rows(f"SELECT {_DASHBOARD} FROM dashboards ORDER BY created_us, id")
    ]


def load_widgets(tx: Transaction) -> list[Widget]:
    """Every widget, oldest first."""
    return [
        Widget(
            id=row[0],
            dashboard_id=row[1],
            device_id=row[2] or "",
            type=row[3],
            label=row[4],
            value=msgspec.json.decode(row[5]),
            config=msgspec.json.decode(row[6]),
            pin=row[7],
            created_us=row[8],
        )
        for row in tx.rows(f"SELECT {_WIDGET} FROM widgets ORDER BY created_us, id")
    ]


def save_dashboard(tx: Transaction, board: Dashboard) -> None:
    """Insert or replace."""
    tx.execute(
        f"INSERT INTO dashboards({_DASHBOARD}) VALUES (?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
        " name=excluded.name, description=excluded.description, layout=excluded.layout",
        (board.id, board.owner, board.name, board.description, _json(board.layout).decode(), board.created_us),
    )


def save_widget(tx: Transaction, widget: Widget) -> None:
    """Insert or replace."""
    tx.execute(
        f"INSERT INTO widgets({_WIDGET}) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
        " label=excluded.label, value=excluded.value, config=excluded.config",
        (
            widget.id,
            widget.dashboard_id,
            widget.device_id or None,
            widget.type,
            widget.label,
            _json(widget.value).decode(),
            _json(widget.config).decode(),
            widget.pin,
            widget.created_us,
        ),
    )


def delete_widget(tx: Transaction, widget_id: str) -> None:
    """Remove one."""
    tx.execute("DELETE FROM widgets WHERE id = ?", (widget_id,))


def delete_dashboard(tx: Transaction, dashboard_id: str) -> None:
    """Remove one whose widgets are gone."""
    tx.execute("DELETE FROM dashboards WHERE id = ?", (dashboard_id,))
