"""The command ledger: a command acts at most once, whatever is lost or cut in between.

The number of a command is claimed in non-volatile storage before anything moves. What is not higher than the claim
is stale; a repeat is answered from the last results, which are stored too. A claim without a result means the power
went in between: at the next start a result is stored for it, `in_doubt` unless the variant knows better.
"""

import json

from outpost.port import Port

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

RESULTS_MAX = 16
ID_BYTES_MAX = 64
IN_DOUBT = "in_doubt"
NOT_BEGUN = "not_begun"  # claimed, and then certainly nothing moved


def result(id: str, seq: int, err: str, ms: int, evidence: str = "") -> "dict[str, object]":
    """The message that tells what a command came to; no `err` means done. `evidence`: what that is known by."""
    message = {
        "type": "result", "id": id, "seq": seq, "ok": not err, "err": err, "ms": ms, "repeated": False
    }  # type: dict[str, object]  # fmt: skip
    if evidence:
        message["evidence"] = evidence
    return message


def nobody_knows(id: str, seq: int) -> "tuple[str, str]":
    """How a claim without a result is settled where nothing else is known."""
    return IN_DOUBT, ""


class Ledger:
    """One device's claims and results. `hwm` is the highest number ever claimed.

    `settle_claim(id, seq)` is asked at the start for the `err` and evidence of a claim whose result is missing. It
    may say anything but `in_doubt` only of what it has on flash.
    """

    def __init__(self, port: Port, settle_claim: "Callable[[str, int], tuple[str, str]]" = nobody_knows) -> None:
        self._port = port
        self._claimed_id = ""
        self.hwm = 0
        claim = port.load("claim")
        if claim is not None:
            self.hwm = int.from_bytes(claim[:8], "little")
            self._claimed_id = claim[8:].decode()
        self._results = [_parsed(port.load("result%d" % i)) for i in range(RESULTS_MAX)]
        if self.hwm and self._find(self._claimed_id, self.hwm) is None:
            err, evidence = settle_claim(self._claimed_id, self.hwm)
            self.settle(self._claimed_id, self.hwm, err, 0, evidence)

    @property
    def in_doubt(self) -> "dict[str, object] | None":
        """The last claim, if the power went before its result."""
        known = self._find(self._claimed_id, self.hwm)
        if known is None or known["err"] != IN_DOUBT:
            return None
        return {"id": self._claimed_id, "seq": self.hwm}

    def last(self) -> "dict[str, object] | None":
        """The result of the last claim, as it is told to a hub that may have missed it; None: it has none yet."""
        known = self._find(self._claimed_id, self.hwm)
        return None if known is None else dict(known, repeated=True)

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

    def settle(self, id: str, seq: int, err: str, ms: int, evidence: str = "") -> "dict[str, object]":
        """Store the result of the claimed command over the oldest one, and return it.

        Raises OSError; until the next start it is remembered all the same.
        """
        message = result(id, seq, err, ms, evidence)
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
