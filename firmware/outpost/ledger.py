"""The command ledger: a command acts at most once, whatever is lost or cut in between.

The number of a command is claimed in non-volatile storage before anything moves. What is not higher than the claim
is stale; a repeat is answered from the last results, which are stored too. A claim without a result means the power
went in between and nobody can know: at the next start `in_doubt` is stored as its result.
"""

import json

from outpost.port import Port

RESULTS_MAX = 16
ID_BYTES_MAX = 64
IN_DOUBT = "in_doubt"


def result(id: str, seq: int, err: str, ms: int) -> "dict[str, object]":
    """The message that tells what a command came to; no `err` means done."""
    return {"type": "result", "id": id, "seq": seq, "ok": not err, "err": err, "ms": ms, "repeated": False}


class Ledger:
    """One device's claims and results. `hwm` is the highest number ever claimed."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._claimed_id = ""
        self.hwm = 0
        claim = port.load("claim")
        if claim is not None:
            self.hwm = int.from_bytes(claim[:8], "little")
            self._claimed_id = claim[8:].decode()
        self._results = [_parsed(port.load("result%d" % i)) for i in range(RESULTS_MAX)]
        if self.hwm and self._find(self._claimed_id, self.hwm) is None:
            self.settle(self._claimed_id, self.hwm, IN_DOUBT, 0)

    @property
    def in_doubt(self) -> "dict[str, object] | None":
        """The last claim, if the power went before its result."""
        known = self._find(self._claimed_id, self.hwm)
        if known is None or known["err"] != IN_DOUBT:
            return None
        return {"id": self._claimed_id, "seq": self.hwm}

    def answer(self, id: str, seq: int) -> "dict[str, object] | None":
        """What is known about a command: its result, or that its number is stale. None: it may be claimed."""
        if seq > self.hwm:
            return None
        known = self._find(id, seq)
        if known is not None:
            return dict(known, repeated=True)
        return result(id, seq, "stale", 0)

    def claim(self, id: str, seq: int) -> None:
        """Take the number. Committed when this returns; raises OSError, and then nothing may be done."""
        self._port.save("claim", seq.to_bytes(8, "little") + id.encode())
        self.hwm = seq
        self._claimed_id = id

    def settle(self, id: str, seq: int, err: str, ms: int) -> "dict[str, object]":
        """Store the result of the claimed command over the oldest one, and return it.

        Raises OSError; until the next start it is remembered all the same.
        """
        message = result(id, seq, err, ms)
        slot = self._oldest()
        self._results[slot] = message
        self._port.save("result%d" % slot, json.dumps(message).encode())
        return message

    def _find(self, id: str, seq: int) -> "dict[str, object] | None":
        for known in self._results:
            if known is not None and known["seq"] == seq and known["id"] == id:
                return known
        return None

    def _oldest(self) -> int:
        """Numbers only rise, so the lowest is the oldest; an empty place comes first."""
        return min(range(RESULTS_MAX), key=lambda i: _seq(self._results[i]))


def _seq(known: "dict[str, object] | None") -> int:
    return -1 if known is None else int(str(known["seq"]))


def _parsed(stored: "bytes | None") -> "dict[str, object] | None":
    """A result from flash; one that is torn counts as none, which leaves its command in doubt, not repeated."""
    if stored is None:
        return None
    try:
        known = json.loads(stored)
        return known if int(known["seq"]) >= 0 and "id" in known and "err" in known else None
    except (ValueError, KeyError, TypeError):
        return None
