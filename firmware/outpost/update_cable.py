"""Updates over the cable: the hub's messages in, requests out, one at a time and again where no answer comes.

While a hub is on the network, that one has the say.
"""

from outpost.request import Repeating

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from outpost.updates import Updates


class CableUpdates:
    """`online`: whether a hub is there over the network."""

    def __init__(self, updates: "Updates", online: "Callable[[], bool]") -> None:
        self._updates = updates
        self._online = online
        self._repeating = Repeating()

    def take(self, kind: str, header: "dict[str, object]", blob: memoryview) -> None:
        """What this board shall run, or an answer about that; another kind of message is passed over."""
        if kind == "offer":
            self.offer(header.get("offer"))
        elif kind == "piece":
            self._updates.piece(None, header, bytes(blob))
        elif kind == "heard":
            self._updates.heard(None, header)

    def offer(self, offer: "object") -> None:
        """What the hub on the cable wants run here, or None."""
        if not self._online():
            self._updates.offer(offer)

    def request(self, now: int) -> "dict[str, object] | None":
        """The message to ask with, when there is one to send."""
        request = self._updates.request()
        if self._online() or request is None or not self._repeating.due(request, now):
            return None
        if request.told is not None:
            return dict(request.told, type="told")
        return dict(request.fetch or {}, type="fetch")
