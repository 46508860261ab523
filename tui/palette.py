"""The command palette: everything in the table of actions that works here, and every device and asset by name."""

from __future__ import annotations

from collections.abc import Iterator
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
        """Actions, devices and assets that match."""
        matcher = self.matcher(query)
        for action in self._offered():
            score = matcher.match(action.label)
            if score > 0:
                yield Hit(score, Content(action.label), self._act(action), text=action.label, help=action.help)
        for name, opening, help in self._named():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, Content(name), opening, text=name, help=help)

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

    def _named(self) -> Iterator[tuple[str, partial[None], str]]:
        """What has a name: how it is shown, what opens it, and the help beside it."""
        app = self._outpost
        for device in app.session.site.devices():
            name = literal(device.name or device.id, LONGEST_NAME)
            yield name, partial(app.open_device, device.id), "Open this device."
        for asset in app.session.site.machines.all():
            yield literal(asset.name, LONGEST_NAME), partial(app.open_asset, asset.id), "Open this asset."
