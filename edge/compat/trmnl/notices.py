"""Pictures the hub draws for a terminal that has nothing of its own to show: it waits, or nothing is scheduled."""

from __future__ import annotations

import asyncio
from functools import lru_cache

from edge.compat.trmnl.terminals import FRIENDLY, KNOWN_AS, panel_of
from edge.content.render import Rendered, encoded, panel_named
from edge.content.render.scene import Given, draw, settle
from edge.devices.model import Device
from edge.wire.layouts import Box, Layout, TextElement

KEPT = 64  # drawn; one for each terminal that waits
NEVER_S = 86_400


async def waiting(device: Device) -> Rendered:
    """It waits for a technician, who compares its id."""
    verb = "show" if device.facts.get(KNOWN_AS) else "approve"  # which one it says to be is not for its panel
    beneath = f"outpost device {verb} {device.id}"
    return await _drawn(
        ("Waiting for approval", str(device.facts.get(FRIENDLY) or device.id), beneath), panel_of(device)
    )


async def nothing(device: Device) -> Rendered:
    """It is approved, and shows nothing yet."""
    return await _drawn(("Nothing is scheduled here", device.name, device.id), panel_of(device))


async def too_large(device: Device, size: int, most: int) -> Rendered:
    """What is scheduled has more bytes than it takes."""
    return await _drawn(
        ("This screen is too large", device.name, f"{size:,} bytes; this panel takes {most:,}"), panel_of(device)
    )


async def logo() -> Rendered:
    """What a terminal fetches while it is set up, and keeps as its own logo: the same for all."""
    return await _drawn(("Outpost", "", ""), "bmp-800x480")


async def _drawn(lines: tuple[str, str, str], panel: str) -> Rendered:
    return await asyncio.to_thread(_draw, lines, panel)


@lru_cache(maxsize=KEPT)
def _draw(lines: tuple[str, str, str], panel_name: str) -> Rendered:
    title, middle, beneath = (text.replace("{", "{{").replace("}", "}}") for text in lines)
    layout = Layout(
        elements=(
            TextElement(box=Box(5, 14, 90, 20), text=title, size=9, align="centre", wrap=False),
            TextElement(box=Box(5, 36, 90, 28), text=middle, size=18, align="centre", bold=True, wrap=False),
            TextElement(box=Box(5, 68, 90, 16), text=beneath, size=5, align="centre"),
        )
    )
    panel = panel_named(panel_name)
    scene = settle(layout, Given(now_us=0), panel, NEVER_S)
    return encoded(draw(scene, panel, lambda _: None).image, panel)
