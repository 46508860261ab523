"""What the panel shall show, over the cable: the hub's messages in, requests out, again where no answer comes.

While a hub is on the network, that one has the say. What the cable's hub has said meanwhile counts once that one is
away: it is not said again.
"""

from outpost.request import Repeating
from outpost.showing import WHAT, Showing

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass


class CableShowing:
    """`online`: whether a hub is there over the network."""

    def __init__(self, showing: Showing, online: "Callable[[], bool]") -> None:
        self._showing = showing
        self._online = online
        self._repeating = Repeating()
        self._missed = None  # type: tuple[object] | None  # what was said last while the network had the say

    def met(self) -> None:
        """A hub on the cable was told who we are."""
        self._repeating.forget()
        self._missed = None
        if not self._online():
            self._showing.met()

    def take(self, kind: str, header: "dict[str, object]", blob: memoryview) -> bool:
        """Whether the message was about the panel."""
        if kind == "show":
            self._missed = (header.get("show"),)
            self._catch_up()
        elif kind == "noted":
            self._showing.heard(None, header.get("picture"))
        elif kind == "piece" and header.get("what") == WHAT:
            self._showing.piece(None, header, bytes(blob))
        else:
            return False
        return True

    def request(self, now: int) -> "dict[str, object] | None":
        """The message to ask with, when there is one to send."""
        self._catch_up()
        request = self._showing.request()
        if self._online() or request is None or not self._repeating.due(request, now):
            return None
        if request.told is not None:
            return dict(request.told, type="shown")
        return dict(request.fetch or {}, type="fetch")

    def _catch_up(self) -> None:
        missed = self._missed
        if missed is not None and not self._online():
            self._missed = None
            self._showing.show(missed[0])
