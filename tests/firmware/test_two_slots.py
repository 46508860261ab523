"""The real firmware in two folders, updated over the cable: what starts, what comes back, what the hub hears."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from edge.wire.native import Hello
from edge.wire.orders import Verdict
from tests.firmware.board import DEADLINE_S, has_micropython
from tests.firmware.pictures import qr, show
from tests.firmware.two_slots import CRASH, HANG, TwoSlots, base, two_slots, variant
from tests.tools import share

WELL = ["downloading", "verified", "staged", "testing", "confirmed"]
pytestmark = pytest.mark.skipif(not has_micropython(), reason="there is no MicroPython for this Python")
ENDS = {"confirmed", "already", "rolled-back"}
CHANGED = "VERSION = '0.1.1'\n"


def last_hello(board: TwoSlots) -> Hello:
    hello = board.hub.hellos[-1]
    assert isinstance(hello, Hello)
    return hello


async def test_a_board_is_updated_over_its_cable_and_says_what_it_runs(tmp_path: Path) -> None:
    new = base("20261102.000000", {"outpost/__init__": CHANGED})
    async with two_slots(tmp_path, base()) as board:
        board.hub.offer = new
        await board.until("confirmed")
        assert [step for step in board.hub.steps() if step != "delayed"] == WELL
        assert board.slot() == "b"
        hello = last_hello(board)
        assert hello.running is not None
        assert (hello.running.app, hello.running.version) == (new.id, "20261102.000000")
        assert hello.fw == "0.1.1"
        assert board.hub.fetched < 12  # two of some fifty files have changed, and the manifest
        assert (board.flash / "nvs" / "variant").read_text() == "base"


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("outpost/device", CRASH, "RuntimeError: it was never tried"),
        ("outpost/clock", HANG, "watchdog"),
    ],
    ids=["crashes at its import", "hangs"],
)
async def test_an_app_that_does_not_start_makes_room_for_the_old_one(
    tmp_path: Path, module: str, source: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = base()
    async with two_slots(tmp_path, old) as board:
        if source == HANG:
            shorten_the_selectors_watchdog(board, monkeypatch)
        board.hub.offer = base("20261102.000000", {module: source})
        told = await board.until("rolled-back")
        assert told.reason == reason
        assert board.slot() == "a"
        hello = last_hello(board)
        assert hello.running is not None
        assert (hello.running.app, hello.running.trial) == (old.id, False)
        assert board.board.resets == (source == HANG)


def shorten_the_selectors_watchdog(board: TwoSlots, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute is long for a test: a file that is armed for longer counts as armed for two seconds."""
    monkeypatch.setattr("edge.sim.board.int", lambda text: min(int(text), 2), raising=False)


async def test_a_display_is_updated_once_the_customer_has_paid(tmp_path: Path) -> None:
    """The restart waits for the QR, whose time must not be cut short."""
    async with two_slots(tmp_path, variant("display")) as board:
        async with asyncio.timeout(DEADLINE_S):
            while board.hub.session is None:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.02)
        board.hub.offer = variant("display", "20261102.000000", {"outpost/__init__": CHANGED})
        outcome = await board.hub.session.deliver(show(1, qr(), show_s=6))
        assert outcome.verdict is Verdict.DONE
        await board.hub.tell_offer()
        delayed = await board.until("delayed")
        assert delayed.reason == "a QR is shown"
        await board.until("confirmed")
        assert [step for step in board.hub.steps() if step != "delayed"] == WELL


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_the_power_goes_again_and_again_and_each_update_comes_to_its_end(tmp_path: Path) -> None:
    """SIGKILL at random moments; each time it goes on from where it was, and what runs is whole and known."""
    luck, runs = random.Random(), base()
    async with two_slots(tmp_path, runs) as board:
        board.hub.most = 256  # so that there is something to be cut off
        for attempt in range(1, share(1, 50) + 1):
            noise = f"NOISE = '{luck.getrandbits(40_000):x}'\n"
            new = base(f"20261102.{attempt:06d}", {"outpost/__init__": CHANGED + noise})
            board.hub.told.clear()
            board.hub.offer, board.hub.attempt = new, attempt
            for _ in range(4):
                await board.board.power_cut()
                await asyncio.sleep(luck.uniform(0.5, 3.0))
            async with asyncio.timeout(4 * DEADLINE_S):
                while not ENDS & set(board.hub.steps()):  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(0.05)
            said = next(said for said in reversed(board.hub.told) if said.step.value in ENDS)
            runs = runs if said.step.value == "rolled-back" else new
            assert said.reason == ("power" if runs is not new else "")
            assert board.slot_holds(runs)
