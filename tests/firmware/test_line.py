"""The native protocol between the hub's session and the real firmware, on a line that has a rate and bad days."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import LinkError
from edge.links.native import NativeSession
from edge.sim.uart import UartLine
from edge.wire.orders import Verdict
from tests.fakes.pty_stream import PtyStream
from tests.firmware.board import Board, timed, until
from tests.firmware.pictures import noise, order, packed, qr, show

BANNER = (
    b"ets Jun  8 2016 00:22:57\r\n\r\n"
    b"rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n>>> \x00\xff\x04\r\n"
)


@pytest.mark.parametrize(("baud", "limit_s"), [(9600, 3.0), (115200, 0.5)])
async def test_a_qr_is_shown_and_acknowledged_in_time(tmp_path: Path, baud: int, limit_s: float) -> None:
    """Within the promise, and within 1.3 times what the bytes take on the line (with 50 ms to draw)."""
    async with UartLine(baud=baud) as line:
        board = Board(tmp_path, line, baud=baud)
        await board.boot()
        session = await board.connect()
        busy_before = line.to_device.busy_s
        outcome, took_s = await timed(session.deliver(show(1, qr())))
        busy_s = line.to_device.busy_s - busy_before
        assert outcome.verdict is Verdict.DONE
        assert board.pixels() == qr()
        assert line.to_device.dropped_bytes == 0
        assert session.resent_frames == 0
        print(f"{baud} baud: {len(packed(qr()))} bytes of picture, line {busy_s:.3f} s, in all {took_s:.3f} s")
        assert busy_s < limit_s
        await session.close()
        await board.cut_power()


async def test_a_kilobyte_at_9600_keeps_the_line_busy(tmp_path: Path) -> None:
    """Stored, not shown, so that hardly anything but the line is measured."""
    async with UartLine(baud=9600) as line:
        board = Board(tmp_path, line, baud=9600)
        await board.boot()
        session = await board.connect()
        busy_before = line.to_device.busy_s
        blob = random.Random(1).randbytes(1024)
        outcome, took_s = await timed(session.deliver(order(1, "store_picture", blob=blob, slot=1)))
        busy_s = line.to_device.busy_s - busy_before
        assert outcome.verdict is Verdict.FAILED  # no picture, and said so after all of it had come
        print(f"9600 baud: 1024 bytes, line {busy_s:.3f} s, in all {took_s:.3f} s, {took_s / busy_s:.2f} x")
        await session.close()
        await board.cut_power()


def one_byte_in(n: int, spoil: Callable[[int], bytes], seed: int) -> Callable[[bytes], bytes]:
    """A fault that spoils one byte in n, at random but the same in each run."""
    luck = random.Random(seed)
    return lambda data: b"".join(bytes([b]) if luck.randrange(n) else spoil(b) for b in data)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda byte: b"",
        lambda byte: bytes([byte ^ 0x10]),
        lambda byte: bytes([byte]) + b"\0junk\0",
        lambda byte: b"\0",
    ],
    ids=["lost", "flipped", "noise", "zeroed"],
)
async def test_everything_arrives_on_a_bad_line(board: Board, spoil: Callable[[int], bytes]) -> None:
    session = await board.connect()
    board.line.to_device.fault = one_byte_in(700, spoil, 1)
    board.line.to_host.fault = one_byte_in(300, spoil, 2)
    for seq in (1, 2):
        assert (await session.deliver(show(seq, noise(seq, 100)))).verdict is Verdict.DONE
        assert board.pixels() == noise(seq, 100)
    assert session.resent_frames > 0
    await session.close()


async def test_banners_and_prompts_between_frames_do_no_harm(board: Board) -> None:
    session = await board.connect()
    board.line.to_host.fault = lambda data: data.replace(b"\0", b"\0" + BANNER + b"\0")
    assert (await session.deliver(show(1, qr()))).verdict is Verdict.DONE
    await session.close()


async def test_the_rate_is_raised_when_both_can(board: Board) -> None:
    session = await board.connect(raise_baud=True)
    assert board.stream.baud == 460800
    assert (await session.deliver(show(1, noise(1)))).verdict is Verdict.DONE
    await session.close()
    session = await board.connect()  # and after the goodbye the board is back at its own
    assert board.stream.baud == 115200
    await session.close()


async def test_the_old_rate_holds_when_the_new_one_does_not_carry(board: Board) -> None:
    line = board.line

    def only_slow(data: bytes) -> bytes:
        return bytes(len(data)) if board.stream.baud > 115200 else data

    line.to_device.fault = only_slow
    session = await board.connect(raise_baud=True)
    assert board.stream.baud == 115200
    assert (await session.deliver(show(1, qr()))).verdict is Verdict.DONE
    await session.close()


async def test_a_hub_that_died_at_a_raised_rate_finds_the_board_again(board: Board) -> None:
    session = await board.connect(raise_baud=True)
    board.stream.lose = True  # a killed hub says no goodbye
    await session.close()
    session = await board.connect()
    assert session.hello.boot == 1
    assert (await session.deliver(show(1, qr()))).verdict is Verdict.DONE
    await session.close()


async def test_a_restarted_hub_takes_over_from_half_a_message(board: Board) -> None:
    session = await board.connect()
    attempt = asyncio.create_task(session.deliver(show(1, noise(1))))
    await asyncio.sleep(0.2)
    attempt.cancel()
    board.stream.lose = True
    await session.close()
    session = await board.connect()
    assert session.hello.hwm == 0
    assert (await session.deliver(show(1, qr()))).verdict is Verdict.DONE
    await session.close()


async def test_a_cancelled_delivery_leaves_the_session_whole_and_the_next_its_time(board: Board) -> None:
    """What waits behind it is not younger for it when it comes: its time to live counts from the order."""
    session = await board.connect()
    attempt = asyncio.create_task(session.deliver(show(1, noise(1))))
    await asyncio.sleep(0.2)
    attempt.cancel()
    late = await session.deliver(show(2, qr("late"), ttl_ms=500))
    assert late.verdict is Verdict.NOT_SENT
    assert (await session.deliver(show(3, qr()))).verdict is Verdict.DONE
    assert board.pixels() == qr()
    await session.close()


async def test_a_board_restarting_in_the_middle_ends_the_session(board: Board) -> None:
    session = await board.connect()
    attempt = asyncio.create_task(session.deliver(show(1, noise(1))))
    await asyncio.sleep(0.2)
    await board.cut_power()
    await board.boot()
    assert (await attempt).verdict is Verdict.UNKNOWN
    assert "restarted" in await session.wait_closed()
    assert (await session.deliver(show(2, qr()))).verdict is Verdict.NOT_SENT
    await session.close()


async def test_an_unplugged_line_is_judged_at_once(board: Board) -> None:
    session = await board.connect()
    attempt = asyncio.create_task(session.deliver(show(1, noise(1))))
    await asyncio.sleep(0.2)
    board.line.close()
    outcome = await attempt
    assert outcome.verdict is Verdict.UNKNOWN
    await session.close()


async def test_a_command_that_came_too_late_is_refused(tmp_path: Path) -> None:
    """6 KB at 38400 baud take 1.6 s; its half second is over long before the last byte."""
    async with UartLine(baud=38400) as line:
        board = Board(tmp_path, line, baud=38400)
        await board.boot()
        idle = board.pixels()
        session = await board.connect()
        outcome = await session.deliver(show(1, noise(1, 150), ttl_ms=500))
        assert outcome.verdict in (Verdict.FAILED, Verdict.UNKNOWN)
        assert board.pixels() == idle
        await session.close()
        await board.cut_power()


async def test_a_port_nobody_answers_on_is_given_back(tmp_path: Path) -> None:
    async with UartLine() as line:
        stream = PtyStream(line.host_tty)
        with pytest.raises(LinkError, match=r"within 0.3 s"):
            await NativeSession.open(stream, on_event=lambda _: None, timeout_s=0.3)
        await stream.write(b"still open")
        await stream.close()


async def test_a_board_nobody_listens_to_goes_on(board: Board) -> None:
    """Its pictures take turns while the line takes nothing, long after the line's buffers are full."""
    session = await board.connect()
    await session.deliver(order(1, "store_picture", blob=packed(qr("one")), slot=1))
    await session.deliver(order(2, "store_picture", blob=packed(qr("two")), slot=2))
    await session.close()
    await board.cut_power()
    (board.flash / "nvs" / "config").write_text('{"rotate_s": 1}')
    board.line.to_host.stop()
    fill = os.open(board.line.device_tty, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(fill, bytes(1024))
    os.close(fill)
    await board.boot()
    await until(lambda: board.pixels() == qr("two"))
    await until(lambda: board.pixels() == qr("one"))
