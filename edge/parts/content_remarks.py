"""What a layout names that this site does not have: a key no device told, an asset, a device, a source's field.

Panels draw a dash for each of these, which looks like a reading that is late. So their writer is told, with the
name that he most likely meant. They are warnings: what is named may come later.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.content.documents.documents import Documents
from edge.content.render.panels import PANELS, panel_named
from edge.content.render.scene.slips import nearest, slips
from edge.content.sources.asking import ask_of
from edge.devices.registry import Registry
from edge.errors import BadInput, Conflict, NotFound
from edge.parts.assets import AssetsPart
from edge.telemetry.telemetry import Telemetry
from edge.wire.content import DocumentKind, Note, SourceDocument
from edge.wire.layouts import (
    SELF,
    AnyElement,
    AssetElement,
    ChartElement,
    Layout,
    SourceElement,
    ValueElement,
)

NAMES_SHOWN = 12


class Remarks:
    """Looks at layouts with what the site knows. `of` is asked as a check of documents."""

    def __init__(self, documents: Documents, registry: Registry, telemetry: Telemetry, assets: AssetsPart) -> None:
        self._documents, self._registry = documents, registry
        self._telemetry, self._assets = telemetry, assets

    def of(self, layout: Layout) -> list[Note]:
        """Warnings about elements."""
        found = [
            Note(element=number, level="warning", text=text)
            for number, element in enumerate(layout.elements)
            for text in self._about(element)
        ]
        return [*_panel(layout.panel), *found, *slips(layout)]

    def _about(self, element: AnyElement) -> Iterator[str]:
        if isinstance(element, ValueElement | ChartElement) and element.device != SELF:
            yield from self._reading(element.device, element.key)
        elif isinstance(element, AssetElement):
            yield from self._asset(element.asset)
        elif isinstance(element, SourceElement) and element.field:
            yield from self._field(element.source, element.field)

    def _reading(self, named: str, key: str) -> Iterator[str]:
        """Nothing for a device that is not here: documents say that already."""
        try:
            device = self._registry.find(named)
        except Conflict as several:
            yield several.detail
            return
        if device is None:
            return
        keys = sorted(self._telemetry.latest(device.id))
        if not keys:
            yield f"{device.name} has told no readings yet, so there is no `{key}` of it."
        elif key not in keys:
            yield f"{device.name} has told no `{key}` yet.{nearest(key, keys)} It tells {_listed(keys)}."

    def _asset(self, named: str) -> Iterator[str]:
        try:
            self._assets.assets.get(named)
        except Conflict as several:
            yield several.detail
        except NotFound:
            known = [one.name for one in self._assets.assets.all()]
            yield f"No asset here is called {named}.{nearest(named, known)}"

    def _field(self, source_id: str, field: str) -> Iterator[str]:
        """Nothing for a source that is not published: documents say that already."""
        published = self._documents.published(DocumentKind.SOURCE, source_id)
        if published is None or not isinstance(published[0], SourceDocument):
            return
        try:
            fields = [one.name for one in ask_of(published[0]).fields]
        except BadInput:  # written by another version of Outpost: it tells so itself
            return
        if field not in fields:
            meant = nearest(field, fields)
            yield f"The source {source_id} has no field `{field}`.{meant} It has {_listed(fields)}."


def _panel(name: str) -> list[Note]:
    try:
        if name:
            panel_named(name)
    except NotFound:
        meant = nearest(name, list(PANELS)) or " `outpost content panels --kinds` has them."
        text = f"`panel`: there is no panel {name!r}.{meant}"
        return [Note(element=-1, level="warning", text=text)]
    return []


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown
