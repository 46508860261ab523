"""What a payment display does, told by its pixels and its answers."""

from __future__ import annotations

import asyncio
import os
import sys
import zlib
from pathlib import Path

import pytest

from edge.sim.uart import UartLine
from edge.wire.orders import Order, Verdict
from tests.firmware.board import Board, until
from tests.firmware.pictures import noise, order, packed, qr, show


async def test_it_says_who_it_is_and_what_its_panel_takes(board: Board) -> None:
    session = await board.connect()
    hello = session.hello
    assert (hello.chip, hello.kind, hello.hwm, hello.boot) == ("A0B1C2D3E4F5", "display", 0, 1)
    assert hello.panel is not None
    assert (hello.panel.width, hello.panel.height, hello.panel.format) == (320, 480, "1bpp-zlib")
    assert hello.rx == 259
    await session.close()


async def test_a_qr_is_shown_to_the_pixel_and_goes_by_itself_without_a_hub(board: Board) -> None:
    session = await board.connect()
    idle = board.pixels()
    outcome = await session.deliver(show(1, qr(), show_s=0.5))
    assert outcome.verdict is Verdict.DONE
    assert board.pixels() == qr()
    await session.close()
    await until(lambda: board.pixels() == idle)


async def test_starting_the_rotation_takes_a_qr_down_at_once_and_stopping_it_does_not(board: Board) -> None:
    session = await board.connect()
    idle = board.pixels()
    await session.deliver(show(1, qr(), show_s=600))
    await session.deliver(order(2, "stop_rotation"))
    assert board.pixels() == qr()
    await session.deliver(order(3, "start_rotation"))
    await until(lambda: board.pixels() == idle)
    await session.close()


async def test_a_repeat_is_answered_from_memory_and_not_shown_again(board: Board) -> None:
    session = await board.connect()
    first, second = show(1, qr("first")), show(2, qr("second"))
    await session.deliver(first)
    await session.deliver(second)
    drawn = board.png.stat().st_mtime_ns
    outcome = await session.deliver(first)
    assert (outcome.verdict, outcome.repeated) == (Verdict.DONE, True)
    assert board.png.stat().st_mtime_ns == drawn
    assert board.pixels() == qr("second")
    await session.close()


async def test_the_memory_outlives_the_power(board: Board) -> None:
    session = await board.connect()
    for seq in range(1, 20):
        await session.deliver(order(seq, "start_rotation"))
    await session.close()
    await board.cut_power()
    await board.boot()
    session = await board.connect()
    assert (session.hello.hwm, session.hello.boot, session.hello.in_doubt) == (19, 2, None)
    assert (await session.deliver(order(19, "start_rotation"))).repeated
    assert (await session.deliver(order(4, "start_rotation"))).repeated
    forgotten = await session.deliver(order(3, "start_rotation"))
    assert (forgotten.verdict, forgotten.repeated) == (Verdict.FAILED, False)
    await session.close()


@pytest.mark.parametrize("other", [show(5, qr("stale"), id="another"), show(4, qr("stale"))])
async def test_a_number_that_is_not_higher_is_refused(board: Board, other: Order) -> None:
    session = await board.connect()
    await session.deliver(show(5, qr()))
    outcome = await session.deliver(other)
    assert outcome.verdict is Verdict.FAILED
    assert "claimed this number" in outcome.reason
    assert board.pixels() == qr()
    await session.close()


async def test_power_cut_between_claim_and_result_is_in_doubt_for_ever(board: Board) -> None:
    session = await board.connect()
    await session.deliver(show(1, qr("before")))
    # The panel's file opens only when somebody reads it, so the board stops where it has claimed and not yet shown.
    os.mkfifo(f"{board.png}.new")
    attempt = asyncio.create_task(session.deliver(show(2, qr())))
    await until(lambda: (board.flash / "nvs" / "claim").read_bytes().endswith(b"cmd-2"))
    await board.cut_power()
    os.remove(f"{board.png}.new")  # noqa: PTH107
    await board.boot()
    outcome = await attempt
    assert outcome.verdict is Verdict.UNKNOWN
    assert "restarted" in await session.wait_closed()
    await session.close()

    session = await board.connect()
    assert session.hello.in_doubt is not None
    assert (session.hello.in_doubt.id, session.hello.in_doubt.seq) == ("cmd-2", 2)
    for _ in range(2):
        outcome = await session.deliver(show(2, qr()))
        assert (outcome.verdict, outcome.reason[:20]) == (Verdict.IN_DOUBT, "the device lost powe")
    assert board.pixels() != qr()
    assert (await session.deliver(show(3, qr()))).verdict is Verdict.DONE
    await session.close()


@pytest.mark.parametrize(
    "blob",
    [
        packed(qr())[:-20],
        packed(qr()[:-1]),
        packed(qr() + b"\0"),
        b"no zlib at all",
        b"",
        zlib.compress(bytes(2_000_000)),
    ],
    ids=["cut", "short", "long", "junk", "none", "bomb"],
)
async def test_what_is_no_picture_of_this_panel_leaves_the_screen_as_it_was(board: Board, blob: bytes) -> None:
    session = await board.connect()
    await session.deliver(show(1, qr()))
    outcome = await session.deliver(order(2, "display_qr", blob=blob, show_s=5))
    assert outcome.verdict is Verdict.FAILED
    assert board.pixels() == qr()
    assert (await session.deliver(show(3, qr("next")))).verdict is Verdict.DONE
    await session.close()


async def test_a_picture_that_does_not_compress_fits_too(board: Board) -> None:
    session = await board.connect()
    for seq in (1, 2):
        assert (await session.deliver(show(seq, noise(seq)))).verdict is Verdict.DONE
        assert board.pixels() == noise(seq)
    await session.close()


async def test_stored_pictures_take_turns_survive_the_power_and_stop_on_demand(board: Board) -> None:
    session = await board.connect()
    await session.deliver(order(1, "store_picture", blob=packed(qr("seven")), slot=7))
    await board.until_state(lambda state: state.slot == 7)
    await session.deliver(order(2, "store_picture", blob=packed(qr("nine")), slot=9))
    await session.deliver(order(3, "stop_rotation"))
    await session.close()
    (board.flash / "nvs" / "config").write_text('{"rotate_s": 1}')
    await board.cut_power()
    await board.boot()
    await until(lambda: board.pixels() == qr("seven"))
    await until(lambda: board.pixels() == qr("nine"))
    await until(lambda: board.pixels() == qr("seven"))

    session = await board.connect()
    await session.deliver(order(4, "stop_rotation"))
    state = await board.until_state(lambda state: not state.rotating)
    assert state.pictures == (7, 9)
    await session.deliver(order(5, "erase_picture", slot=7))
    await session.deliver(order(6, "erase_picture", slot=9))
    await board.until_state(lambda state: state.screen == "idle")
    await session.close()


async def test_a_damaged_stored_picture_is_told_and_left_out(board: Board) -> None:
    session = await board.connect()
    await session.deliver(order(1, "store_picture", blob=packed(qr()), slot=1))
    await session.close()
    await board.cut_power()
    stored = board.flash / "pictures" / "01.opp"
    stored.write_bytes(stored.read_bytes()[:-3] + b"???")
    await board.boot()
    session = await board.connect()
    await until(lambda: "slot 1 is damaged" in board.logged())
    assert board.state().screen == "idle"
    await session.close()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (order(1, "open_till"), "does not know"),
        (order(1, "display_qr", blob=packed(qr()), show_s=-1), "arguments"),
        (order(1, "store_picture", blob=packed(qr()), slot=100), "arguments"),
        (order(0, "stop_rotation"), "claimed"),
    ],
)
async def test_what_it_cannot_do_it_says(board: Board, bad: Order, reason: str) -> None:
    session = await board.connect()
    outcome = await session.deliver(bad)
    assert outcome.verdict is Verdict.FAILED
    assert reason in outcome.reason
    await session.close()


async def test_it_reboots_on_command_with_its_answer_given(board: Board) -> None:
    session = await board.connect()
    assert (await session.deliver(order(1, "reboot"))).verdict is Verdict.DONE
    assert "ended" in await session.wait_closed()
    assert await board.exit_code() == 0
    await session.close()


async def test_a_hangup_ends_it_with_3(board: Board) -> None:
    board.line.close()
    assert await board.exit_code() == 3


async def test_the_same_modules_run_on_cpython(tmp_path: Path) -> None:
    """Where MicroPython has no wheel, the demo runs the firmware on this Python."""
    async with UartLine() as line:
        board = Board(tmp_path, line, vm=[sys.executable])
        await board.boot()
        session = await board.connect(raise_baud=True)
        assert (await session.deliver(show(1, noise(1)))).verdict is Verdict.DONE
        assert board.pixels() == noise(1)
        stored = await session.deliver(order(2, "store_picture", blob=packed(qr()), slot=3))
        assert stored.verdict is Verdict.DONE
        assert (await session.deliver(show(1, noise(1)))).repeated
        assert (await session.deliver(order(3, "reboot"))).verdict is Verdict.DONE
        assert await board.exit_code() == 0
        await session.close()
