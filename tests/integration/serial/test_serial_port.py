"""A port as a byte stream: exact bytes, back-pressure, a change of rate, and an end that never hangs."""

from __future__ import annotations

import asyncio
import os
import termios
import tty

import pytest

from edge.errors import Busy, LinkError
from edge.links.serial_port import SerialPort
from tests.patience import AT_ONCE_S

FULL = 1_000_000  # bytes: far more than a pty and every buffer before it hold


class Pair:
    """The other end of an opened port."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(self.master, False)

    async def take(self, count: int) -> bytes:
        """Read exactly so many bytes."""
        data = b""
        async with asyncio.timeout(60):
            while len(data) < count:
                try:
                    data += os.read(self.master, min(65536, count - len(data)))
                except BlockingIOError:
                    await asyncio.sleep(0.001)
        return data

    def hang_up(self) -> None:
        if self.master >= 0:
            os.close(self.master)
            self.master = -1


@pytest.fixture
def pair():
    pair = Pair()
    yield pair
    pair.hang_up()


@pytest.fixture
async def port(pair):
    port = await SerialPort.open(pair.path, baud=115200)
    yield port
    await port.close()


async def test_every_byte_value_passes_both_ways(pair, port):
    data = bytes(range(256))
    await port.write(data)
    assert await pair.take(256) == data
    os.write(pair.master, data)
    received = b""
    while len(received) < 256:
        received += await asyncio.wait_for(port.read(), 60)
    assert received == data


async def test_a_write_waits_while_the_driver_is_full(pair, port):
    data = os.urandom(FULL)
    writing = asyncio.create_task(port.write(data))
    done, _ = await asyncio.wait({writing}, timeout=0.2)
    assert not done
    assert await pair.take(FULL) == data
    await asyncio.wait_for(writing, 60)


async def test_hanging_up_is_told_to_reader_and_writer_at_once(pair, port):
    reading = asyncio.create_task(port.read())
    writing = asyncio.create_task(port.write(bytes(FULL)))
    await asyncio.wait({reading, writing}, timeout=0.05)
    pair.hang_up()
    async with asyncio.timeout(AT_ONCE_S):
        with pytest.raises(LinkError, match="unplugged"):
            await reading
        with pytest.raises(LinkError) as caught:
            await writing
    assert caught.value.sent_bytes > 0
    with pytest.raises(LinkError) as caught:
        await port.write(b"x")
    assert caught.value.sent_bytes == 0


async def test_what_came_before_the_end_is_read_first(pair, port):
    os.write(pair.master, b"last words")
    async with asyncio.timeout(60):
        assert await port.read() == b"last words"


async def test_closing_with_unsent_bytes_does_not_hang(pair, port):
    writing = asyncio.create_task(port.write(bytes(FULL)))
    await asyncio.wait({writing}, timeout=0.05)
    async with asyncio.timeout(AT_ONCE_S):
        await port.close()
        await port.close()
        with pytest.raises(LinkError, match="closed by the hub"):
            await writing


async def test_the_rate_changes_after_the_last_bit_has_left(pair, port):
    await port.set_baud(9600)
    began = asyncio.get_running_loop().time()
    await port.write(bytes(96))  # 0.1 s at 9600
    await port.set_baud(230400)
    assert asyncio.get_running_loop().time() - began >= 0.1
    assert port.baud == 230400
    with open(pair.path, "rb", buffering=0) as other:  # noqa: ASYNC230, PTH123 - it is open already
        assert termios.tcgetattr(other)[5] == termios.B230400
        assert not termios.tcgetattr(other)[2] & termios.HUPCL


async def test_a_port_has_one_owner(pair, port):
    with pytest.raises(Busy, match="is held by this hub itself"):
        await SerialPort.open(pair.path, baud=9600)
    await port.close()
    again = await SerialPort.open(pair.path, baud=9600)
    await again.close()


async def test_what_is_no_serial_port_says_so(tmp_path):
    with pytest.raises(LinkError, match="is not there"):
        await SerialPort.open(str(tmp_path / "nothing"), baud=9600)
    (tmp_path / "file").touch()
    with pytest.raises(LinkError, match="cannot be opened as a serial port"):
        await SerialPort.open(str(tmp_path / "file"), baud=9600)


async def test_unread_input_is_bounded(pair, port):
    async with asyncio.timeout(60):
        sent = 0
        while sent < 400_000:
            try:
                sent += os.write(pair.master, bytes(4096))
            except BlockingIOError:
                break
            await asyncio.sleep(0)
        assert sent < 400_000  # the hub stopped taking it
        while sent:
            sent -= len(await port.read())  # and takes it up again, none lost


async def test_discarded_input_is_forgotten(pair, port):
    os.write(pair.master, b"old")
    await asyncio.sleep(0.05)  # time to arrive; there is nothing else to wait for
    port.discard_input()
    os.write(pair.master, b"new")
    assert await asyncio.wait_for(port.read(), 60) == b"new"


async def test_a_tap_sees_both_directions(pair):
    seen = []
    port = await SerialPort.open(pair.path, baud=9600, tap=lambda direction, data: seen.append((direction, data)))
    await port.write(b"out")
    os.write(pair.master, b"in")
    await asyncio.wait_for(port.read(), 60)
    await port.close()
    assert seen == [("tx", b"out"), ("rx", b"in")]
