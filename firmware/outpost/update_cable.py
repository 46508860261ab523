"""Updates over the cable: the hub's messages in, requests out, one at a time and again where no answer comes.

While a hub is on the network, that one has the say.
"""

from outpost.updates import Request, Updates  # noqa: F401  (Request for the types)

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

ASKED_AGAIN_MS = 10000  # after a request without an answer


class CableUpdates:
    """`online`: whether a hub is there over the network."""

    def __init__(self, updates: Updates, online: "Callable[[], bool]") -> None:
        self._updates = updates
        self._online = online
        self._asked = None  # type: Request | None
        self._asked_ms = 0

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
        if request is None or self._online():
            return None
        if request is self._asked and now < self._asked_ms + ASKED_AGAIN_MS:
            return None
        self._asked, self._asked_ms = request, now
        if request.told is not None:
            return dict(request.told, type="told")
        return dict(request.fetch or {}, type="fetch")
