"""What every screen works with: the client, what is known of the site, the clock, and whether it may act."""

from __future__ import annotations

from dataclasses import dataclass

from tui.client import HubClient
from tui.clock import Clock
from tui.site import Site
from tui.state_bar import BLOCKS, Glyphs


@dataclass(frozen=True)
class Session:
    """One technician at one terminal. `glyphs` is what bars are drawn with."""

    client: HubClient
    site: Site
    clock: Clock
    readonly: bool = False
    glyphs: Glyphs = BLOCKS

    @property
    def may_change(self) -> bool:
        """Whether changes are offered: not with --readonly, nor to whom the hub takes for a viewer."""
        return not self.readonly and not self.site.looks_only
