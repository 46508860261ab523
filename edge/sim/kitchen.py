"""What the demo's e-paper board in the kitchen shows: a screen as somebody at the site would write it."""

from __future__ import annotations

import msgspec

from edge.client import Client
from edge.errors import NotFound
from edge.wire.content import DocumentKind, Publish, SaveDraft, SourceDocument
from edge.wire.layouts import (
    AnyElement,
    AssetElement,
    Box,
    ChartElement,
    DateElement,
    Layout,
    QrElement,
    ShapeElement,
    SourceElement,
    TextElement,
    ValueElement,
)
from edge.wire.playlists import Rule, Schedule

LAYOUT, SCHEDULE, SOURCE = "kitchen", "kitchen", "joke"
MENU = "https://cafe.example/menu"


def layout(sensor: str, asset: str) -> Layout:
    """The screen, with the readings of a sensor and the state of a machine, by their ids."""
    elements: tuple[AnyElement, ...] = (
        TextElement(box=Box(3, 3, 60, 14), text="{name}", bold=True),
        DateElement(box=Box(60, 4, 37, 11), style="full", align="right"),
        ShapeElement(box=Box(3, 18, 94, 2), form="line-across"),
        ValueElement(
            box=Box(3, 22, 30, 24), device=sensor, key="temperature", label="Cold room", unit="°C", bold=True
        ),
        ValueElement(
            box=Box(35, 22, 28, 24), device=sensor, key="humidity", label="Humidity", unit="%", decimals=0
        ),
        AssetElement(box=Box(66, 22, 31, 24), asset=asset, show="state", label="Mixer"),
        ChartElement(
            box=Box(3, 49, 62, 32), device=sensor, key="temperature", label="Cold room", unit="°C", hours=1
        ),
        QrElement(box=Box(69, 49, 28, 46), payload=MENU, caption="Today's menu"),
        SourceElement(box=Box(3, 84, 62, 13), source=SOURCE, label=""),
    )
    return Layout(elements=elements, panel="eink-800x480")


async def furnish(client: Client, board: str, sensor: str, machine: str) -> None:
    """Write it, and schedule it for the board; once. `machine` is an asset's name."""
    if await _is_there(client):
        return
    assets = await client.items("/v1/assets")
    asset = next(str(each["id"]) for each in assets if each["name"] == machine)
    schedule = Schedule(devices=(board,), rules=(Rule(layout=LAYOUT),), refresh_s=30)
    await _publish(client, DocumentKind.SOURCE, SOURCE, SourceDocument(preset="built_in_jokes"), "A joke a day")
    await _publish(client, DocumentKind.LAYOUT, LAYOUT, layout(sensor, asset), "The kitchen's board")
    await _publish(client, DocumentKind.SCHEDULE, SCHEDULE, schedule, "The kitchen's board")


async def _is_there(client: Client) -> bool:
    try:
        await client.get(f"/v1/content/schedules/{SCHEDULE}")
    except NotFound:
        return False
    return True


async def _publish(
    client: Client, kind: DocumentKind, id: str, body: Layout | Schedule | SourceDocument, title: str
) -> None:
    place = f"/v1/content/{kind}s/{id}"
    saved = await client.send("PUT", place, SaveDraft(body=msgspec.to_builtins(body), title=title))
    await client.send("POST", f"{place}/publish", Publish(revision=saved["revision"]))
