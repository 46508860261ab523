"""A line that says what is wrong with the hub, and nothing when nothing is."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from tui import ages
from tui.literal import literal
from tui.session import Session
from tui.site import Contact


class Banner(Static):
    """Hidden while the hub is there and ready."""

    DEFAULT_CSS = """
    Banner {
        height: auto; max-height: 4; padding: 0 1; display: none; background: $warning-muted; color: $text;
    }
    Banner.-shown { display: block; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__(markup=False)
        self._session = session

    def refresh_text(self) -> None:
        """Say what is the case now."""
        text = self._text()
        self.set_class(bool(text), "-shown")
        self.update(Content(text))

    def _text(self) -> str:
        site = self._session.site
        if site.contact is Contact.AWAY:
            return self._away()
        if site.contact is Contact.FIRST:
            return f"◐ Connecting to {literal(str(self._session.client.target), 60)} …"
        if site.status is not None and not site.status.ready:
            return "▲ The hub is not ready: " + "; ".join(literal(text) for text in site.status.problems)
        return ""

    def _wait_s(self) -> int:
        return max(0, round(self._session.site.retry_at_mono_s - self._session.clock.mono_s()))

    def _why(self) -> str:
        return literal(self._session.site.away_why.rstrip("."))

    def _away(self) -> str:
        site, clock = self._session.site, self._session.clock
        wait_s = self._wait_s()
        again = f"trying again in {wait_s} s" if wait_s else "trying again now"
        why = self._why()
        if site.as_of is None:
            return f"✗ The hub cannot be reached; {again}.\n{literal(site.away_hint)}\n{why}"
        since = ages.age((clock.now() - site.as_of).total_seconds())
        at = ages.clock_text(site.as_of, site.zone, clock.now())
        return f"✗ Hub away; {again}. Below is what was known as of {at}, {since} ago.\n{why}"
