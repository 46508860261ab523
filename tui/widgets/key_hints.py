"""The bottom line: the keys that do something on this screen, each also a button for the mouse."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import RenderResult
from textual.content import Content
from textual.widget import Widget

from tui.actions import Action, hinted
from tui.messages import ActionAsked
from tui.session import Session

ALWAYS = 50  # hints from this rank on keep their place at the right end


class KeyHints(Widget):
    """As many hints as fit; `?` for the rest always does."""

    DEFAULT_CSS = "KeyHints { height: 1; background: $panel; }"

    def __init__(self, session: Session, scope: str, fits: Callable[[Action], bool]) -> None:
        super().__init__()
        self.scope = scope
        self._session = session
        self._fits = fits

    def render(self) -> RenderResult:
        """Hints of the screen from the left, those of everywhere at the right."""
        chosen = self.shown()
        left = Content.assemble(*[_hint(it) for it in chosen if it.hint < ALWAYS])
        right = Content.assemble(*[_hint(it) for it in chosen if it.hint >= ALWAYS])
        gap = max(0, self.size.width - left.cell_length - right.cell_length)
        return Content.assemble(left, " " * gap, right)

    def on_click(self, event: events.Click) -> None:
        """A hint is a button."""
        chosen = self.shown()
        left = sum(_width(it) for it in chosen if it.hint < ALWAYS)
        place = self.size.width - sum(_width(it) for it in chosen if it.hint >= ALWAYS)
        start = 0 if event.x < left else place
        for action in (it for it in chosen if (it.hint < ALWAYS) == (event.x < left)):
            if start <= event.x < start + _width(action):
                self.post_message(ActionAsked(action.id))
            start += _width(action)

    def shown(self) -> list[Action]:
        """The hints that fit this width."""
        offered = [it for it in hinted(self.scope, self._session.may_change) if self._fits(it)]
        fixed = [it for it in offered if it.hint >= ALWAYS]
        room = self.size.width - sum(_width(it) for it in fixed)
        chosen = []
        for action in offered:
            if action.hint >= ALWAYS or _width(action) > room:
                break
            room -= _width(action)
            chosen.append(action)
        return chosen + fixed


def _width(action: Action) -> int:
    return len(action.key_text) + len(action.label) + 3


def _hint(action: Action) -> Content:
    return Content.assemble((f" {action.key_text}", "bold $accent"), (f" {action.label} ", "$foreground 70%"))
