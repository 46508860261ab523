"""What a technician can say of a device's values: what one of them shall be."""

from __future__ import annotations

import contextlib
import math

from edge.wire.readings import TwinView
from edge.wire.views import DeviceView
from tui.deeds import ask, called, name, path
from tui.dialogs.question import Blank, Question, something
from tui.literal import typeable
from tui.screens.site_screen import SiteScreen


async def set_value(screen: SiteScreen, view: DeviceView, key: str) -> None:
    """What a value of a device shall be; it counts as done once the device reports it."""
    blanks = (
        Blank("key", "Value's name", key if typeable(key) else "", something),
        Blank("value", "Shall be (a number, on, off, or text; empty: nobody minds)"),
    )
    effect = f"{called(view)} is told, as soon as it can be. Until it reports that value, ▲ stands beside it."
    answer = await ask(screen, Question("Set a value", effect, (("do", "Set"),), blanks, False))
    if answer:
        wanted = {answer.values["key"]: typed(answer.values["value"])}
        twin = await screen.session.client.send("PATCH", path(view.id, "/twin"), {"desired": wanted}, TwinView)
        if view.id in screen.site.values:
            screen.site.values[view.id].twin = twin
        screen.redraw()
        screen.tell(f"{called(view)} shall have {name(answer.values['key'])} so.")


def typed(text: str) -> bool | int | float | str | None:
    """A value as a person types it."""
    words: dict[str, bool | None] = {"on": True, "true": True, "off": False, "false": False, "": None}
    if text.casefold() in words:
        return words[text.casefold()]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            number: float = kind(text)
            if math.isfinite(number):
                return number
    return text
