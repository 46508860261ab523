"""What happens to an app's widgets, told on the bus after the commit that made it true."""

from __future__ import annotations

from edge.bus import Event
from edge.telemetry.widgets.model import Widget


class WidgetChanged(Event, frozen=True, kw_only=True):
    """A widget is new, or something about it is."""

    owner: str
    widget: Widget


class WidgetRemoved(Event, frozen=True, kw_only=True):
    """A widget is gone."""

    owner: str
    widget_id: str
    dashboard_id: str
    device_id: str
