"""The firmware's small HTTP server, on real sockets: what it answers, and what it does with those who want harm."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from urllib.parse import urlencode

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.firmware.board import ROOT
from tests.firmware.network import NetPort, clock
from tests.patience import AT_ONCE_S

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.log import Log
from outpost.server import BODY_BYTES_MAX, HEAD_BYTES_MAX, Answer, Request, Server, escaped, form, said

FAST = 50.0  # times as fast as the clock on the wall, for what waits for a limit
BIG = 300_000
Served = tuple[str, NetPort, Log]


class LocalPort(NetPort):
    served_on = "127.0.0.1"


def pieces() -> Iterator[bytes]:
    """More than any buffer between the two takes at once."""
    for i in range(BIG // 1000):
        yield b"%03d" % i * 333 + b"\n"


def answer(request: Request) -> Answer:
    if request.path == "/big":
        return Answer(200, "text/plain", pieces())
    if request.path == "/fault":
        raise KeyError("fault")
    return said(200, f"{request.method} {request.path} {request.body!r}")


@contextlib.asynccontextmanager
async def serving(
    speed: float = 1.0, answer: Callable[[Request], Answer] = answer, port: int = 0
) -> AsyncIterator[Served]:
    """A server and the loop that drives it; its address."""
    board, log = LocalPort(speed), Log()
    number = port or free_port()
    server = Server(board, clock(board), log, number, answer)

    async def live() -> None:
        while True:
            server.service()
            await asyncio.sleep(0.001)

    living = asyncio.create_task(live())
    try:
        yield f"http://127.0.0.1:{number}", board, log
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        server.close()
        assert not board.watched


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def answered(url: str, data: bytes) -> bytes:
    """The same, again where the answer was lost: a server lingers for half a second alone."""
    async with asyncio.timeout(AT_ONCE_S):
        while not (answer := await raw(url, data)):
            pass
        return answer


async def raw(url: str, data: bytes) -> bytes:
    """Send these bytes; all that comes until the other side closes."""
    async with asyncio.timeout(AT_ONCE_S):
        reader, writer = await connected(url)
        writer.write(data)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


async def connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As soon as somebody listens there."""
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)


async def works(url: str) -> bool:
    """Whether the next one is served."""
    return b"GET /after b''" in await raw(url, b"GET /after HTTP/1.1\r\n\r\n")


async def test_it_serves_one_after_the_other() -> None:
    async with serving() as (url, _, _), aiohttp.ClientSession() as http:
        assert await works(url)
        found = await asyncio.gather(*(text(http, "GET", f"{url}/{n}?q=1") for n in range(3)))
        assert [body for _, body in found] == [f"GET /{n} b''\n" for n in range(3)]
        response, body = await text(http, "POST", url + "/x", data={"a": "1 & 2"})
        assert body == "POST /x b'a=1+%26+2'\n"
        assert response.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        response, body = await text(http, "HEAD", url + "/x")
        assert (response.status, body) == (200, "")


async def text(
    http: aiohttp.ClientSession, method: str, url: str, **more: object
) -> tuple[aiohttp.ClientResponse, str]:
    async with http.request(method, url, **more) as response:  # type: ignore[arg-type]  # a form
        return response, await response.text()


async def test_a_long_answer_is_made_as_it_is_taken() -> None:
    async with serving() as (url, _, _), aiohttp.ClientSession() as http:
        assert await works(url)
        _, body = await text(http, "GET", url + "/big")
        assert body.encode() == b"".join(pieces())
        older = await raw(url, b"GET /big HTTP/1.0\r\n\r\n")  # which knows no chunks
        assert older.partition(b"\r\n\r\n")[2] == b"".join(pieces())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"x" * (HEAD_BYTES_MAX + 2000) + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 9000, 431),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1), 413),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabc", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: -2\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"DELETE / HTTP/1.1\r\n\r\n", 405),
        (b"\xff\xfe / HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    ],
)
async def test_what_it_refuses(request_: bytes, status: int) -> None:
    async with serving(FAST) as (url, _, _):
        got = await answered(url, request_)
        assert got.startswith(b"HTTP/1.1 %d " % status)
        assert await works(url)


async def test_who_is_slow_keeps_others_waiting_for_some_seconds_only() -> None:
    """A request byte by byte; one that never comes; an answer that nobody takes. Each ends by itself."""
    async with serving(FAST) as (url, _, _):
        assert (await raw(url, b"GET / HT")).startswith(b"HTTP/1.1 408 ")
        assert (await raw(url, b"")).startswith(b"HTTP/1.1 408 ")
        _, deaf = await connected(url)
        deaf.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's
        deaf.write(b"GET /big HTTP/1.1\r\n\r\n")
        _, dripping = await connected(url)

        async def drip() -> None:
            for _ in range(10_000):
                dripping.write(b"G")
                await asyncio.sleep(0.005)

        dripper = asyncio.create_task(drip())
        assert await works(url)
        dripper.cancel()
        await asyncio.gather(dripper, return_exceptions=True)
        deaf.transport.abort()
        dripping.transport.abort()


async def test_who_goes_in_the_middle_harms_nothing() -> None:
    async with serving() as (url, _, _):
        for data in (
            b"",
            b"GET / HT",
            b"GET /big HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
        ):
            _, writer = await connected(url)
            writer.write(data)
            await asyncio.sleep(0)
            writer.transport.abort()
            assert await works(url)


async def test_a_fault_of_the_page_is_told_and_the_next_one_is_served() -> None:
    async with serving() as (url, _, log):
        assert await raw(url, b"GET /fault HTTP/1.1\r\n\r\n") == b""
        assert "fault" in log.last_error
        assert await works(url)


async def test_a_port_that_is_taken_is_tried_again() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        async with serving(FAST, port=number) as (url, _, log):
            async with asyncio.timeout(AT_ONCE_S):
                while not log.last_error:  # noqa: ASYNC110 - the server has no event
                    await asyncio.sleep(0.01)
            other.close()
            assert await works(url)
            assert f"port {number}" in log.last_error


@given(st.binary(max_size=200))
def test_no_form_is_too_odd(body: bytes) -> None:
    try:
        fields = form(body)
    except ValueError:
        return
    assert all(isinstance(name, str) and isinstance(value, str) for name, value in fields.items())


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_a_form_is_read_as_browsers_write_it(fields: dict[str, str]) -> None:
    assert form(urlencode(fields).encode()) == fields


def test_names_can_t_be_markup() -> None:
    assert escaped("<b a='1' c=\"2\">&") == "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;"
