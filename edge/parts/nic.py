"""The older payment displays' system: its paths, and giving up deliveries that nobody answers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from aiohttp import web

from edge.commands.shown import Shown
from edge.compat.nic.door import Loggers
from edge.compat.nic.facade import Nic
from edge.content.codes.codes import Content
from edge.content.codes.screens import Screens
from edge.parts.part import Core, Part


class NicPart(Part):
    """Built by the hub. `loggers` answers an asset logger that registers at a display's path."""

    def __init__(self, core: Core, content: Content, shown: Shown, screens: Screens, loggers: Loggers) -> None:
        self.facade = Nic(
            gate=core.guard,
            knocks=core.knocking,
            clock=core.clock,
            database=core.store.hub,
            registry=core.registry,
            presences=core.presences,
            agents=core.agents,
            commands=core.commands,
            content=content,
            shown=shown,
            screens=screens,
            loggers=loggers,
            body_s=core.settings.limits.body_s,
        )

    def legacy(self) -> list[web.RouteDef]:
        """The older system's paths."""
        return self.facade.routes()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Giving up deliveries."""
        return {"nic": self.facade.run}
