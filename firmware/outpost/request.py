"""What a device has to ask its hub besides all else: of an update, or of what its panel shall show.

Whoever has something to ask keeps it ready as a `Request`, the same object until it is answered or no longer
wanted; whichever link there is asks it, one at a time.
"""

AGAIN_MS = 10000  # after a request over the cable that had no answer


class Request:
    """One thing to ask the hub: `told` as the field says, or, where there is none, a piece by `fetch`."""

    def __init__(self, told: "dict[str, object] | None", fetch: "dict[str, object] | None") -> None:
        self.told = told
        self.fetch = fetch


class Repeating:
    """Over the cable: a request goes out at once, and again where no answer came."""

    def __init__(self) -> None:
        self._asked = None  # type: Request | None
        self._asked_ms = 0

    def due(self, request: "Request | None", now: int) -> bool:
        """Whether it is to be sent now."""
        if request is None or request is self._asked and now < self._asked_ms + AGAIN_MS:
            return False
        self._asked, self._asked_ms = request, now
        return True

    def forget(self) -> None:
        """Another hub has come: what was asked of the one before it has no answer."""
        self._asked = None
