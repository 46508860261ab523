"""The command palette: everything in the table of actions that works here, and every device by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui.actions import Action, of_scope
from tui.literal import literal
from tui.screens.site_screen import SiteScreen

if TYPE_CHECKING:
    from tui.app import OutpostApp

LONGEST_NAME = 60


class Commands(Provider):
    """Names from outside are shown as they are, never as markup."""

    async def discover(self) -> Hits:
        """What the screen offers, before anything is typed."""
        for action in self._offered():
            yield DiscoveryHit(Content(action.label), self._act(action), text=action.label, help=action.help)

    async def search(self, query: str) -> Hits:
        """Actions and devices that match."""
        matcher = self.matcher(query)
        for action in self._offered():
            score = matcher.match(action.label)
            if score > 0:
                yield Hit(score, Content(action.label), self._act(action), text=action.label, help=action.help)
        for name, device in self._devices():
            score = matcher.match(name)
            if score > 0:
                yield Hit(
                    score,
                    Content(name),
                    partial(self._outpost.open_device, device),
                    text=name,
                    help="Open this device.",
                )

    @property
    def _outpost(self) -> OutpostApp:
        from tui.app import OutpostApp

        assert isinstance(self.app, OutpostApp)
        return self.app

    def _offered(self) -> list[Action]:
        scope = self.screen.SCOPE if isinstance(self.screen, SiteScreen) else ""
        may_change = self._outpost.session.may_change
        return [it for it in of_scope(scope) if it.id != "app.palette" and (may_change or not it.changes)]

    def _act(self, action: Action) -> partial[None]:
        return partial(self._outpost.action_act, action.id)

    def _devices(self) -> list[tuple[str, str]]:
        return [(literal(it.name or it.id, LONGEST_NAME), it.id) for it in self._outpost.session.site.devices()]
