"""What a device says about a failure is kept as far as it can be."""

from __future__ import annotations

from edge.commands.model import REASON_CHARS, heard
from edge.wire.orders import Outcome, Verdict


def test_a_reason_is_printable_and_short() -> None:
    said = Outcome(verdict=Verdict.FAILED, reason="jam\0 in\n" + "x" * 5000, duration_s=1.5)
    kept = heard(said)
    assert kept.reason.startswith("jam  in x")
    assert len(kept.reason) <= REASON_CHARS
    assert kept.reason.isprintable()
    assert (kept.verdict, kept.duration_s) == (Verdict.FAILED, 1.5)
