"""A screen that asks the hub for more than the terminal always knows, while one looks at it."""

from __future__ import annotations

from typing import ClassVar

from edge.errors import OutpostError
from tui.literal import literal
from tui.messages import SiteChanged
from tui.screens.site_screen import SiteScreen
from tui.session import Session


class AskingScreen(SiteScreen):
    """A screen fills `read()` and calls `read_when_due()` from `show()`. `failed` says why the last read did not
    succeed, '' where it did."""

    AGAIN_S: ClassVar[float] = 10.0

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.failed = ""
        self._reading = False
        self._read_for = -1
        self._read_at_s = 0.0

    async def read(self) -> None:
        """Ask the hub, and keep what it says. Raises OutpostError."""

    def read_when_due(self, *, more: bool = False) -> None:
        """Ask again where what is known is old, or there is `more` that was not asked for yet."""
        since_s = self.session.clock.mono_s() - self._read_at_s
        new = self._read_for != self.site.contact_since
        due = new or since_s >= self.AGAIN_S or (more and not self.failed)
        if due and not self.stale and not self._reading:
            self._reading = True
            self.run_worker(self._read_now(), group="asking")

    def read_again(self) -> None:
        """What is known is old now."""
        self._read_for = -1
        self.redraw()

    async def _read_now(self) -> None:
        contact = self.site.contact_since
        try:
            await self.read()
            self.failed = ""
        except OutpostError as error:
            self.failed = literal(f"{error.detail.rstrip('.')}. {error.advice}".strip())
        finally:
            self._reading = False
        self._read_for, self._read_at_s = contact, self.session.clock.mono_s()
        self.post_message(SiteChanged())
