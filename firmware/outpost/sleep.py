"""Whether the board sleeps between two looks at its hub, and for how long. Off unless the hub desires it.

Desired are `sleep` (true or false) and `sleep_s`; both outlive the power. A sleep is the end of everything in the
memory: what must outlive it is on flash already, as it must outlive a power cut.
"""

import json

from outpost.log import Log
from outpost.port import Port

KEY = "sleep"
SLEEP_S = 900  # where the hub has not said how long
SLEEP_S_MIN, SLEEP_S_MAX = 30, 86400
AWAKE_MS_MAX = 120000  # with nothing but a hub that does not answer, or takes nothing
NO_HUB_MS = 45000  # without one


class Sleep:
    """`on` and `seconds` as they were last desired."""

    def __init__(self, port: Port, log: Log) -> None:
        self._port = port
        self._log = log
        self.on = False
        self.seconds = SLEEP_S
        stored = port.load(KEY)
        try:
            kept = json.loads(stored) if stored is not None else {}
        except ValueError:
            kept = {}
        if isinstance(kept, dict):
            self._take(kept)

    def apply(self, desired: "dict[str, object]") -> "dict[str, object]":
        """Be so; the values that are so now. What is out of bounds is left as it is, and not said."""
        before = (self.on, self.seconds)
        self._take(desired)
        if (self.on, self.seconds) != before:
            try:
                self._port.save(KEY, json.dumps({"sleep": self.on, "sleep_s": self.seconds}).encode())
            except OSError as error:
                self._log.error("sleep could not be stored: %r" % error)  # until the next start it is known
        now = {"sleep": self.on, "sleep_s": self.seconds}
        return {key: now[key] for key in now if key in desired and desired[key] == now[key]}

    def ms(self, again_s: int) -> int:
        """How long to sleep now; `again_s`: when the panel may be another, 0 for not known."""
        return 1000 * max(SLEEP_S_MIN, min(self.seconds, again_s or self.seconds))

    def _take(self, said: "dict[str, object]") -> None:
        on, seconds = said.get("sleep"), said.get("sleep_s")
        if on in (0, 1):
            self.on = bool(on)
        if isinstance(seconds, int) and SLEEP_S_MIN <= seconds <= SLEEP_S_MAX:
            self.seconds = seconds
