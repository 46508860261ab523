"""The firmware's HTTP client against servers that are slow, wrong, or want harm."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.firmware.network import NetPort, clock, drive, server

from outpost.http import Address, Answer, Connection, HttpError, parsed  # isort: skip

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def ask(address: Address, *, port: NetPort | None = None, patience_ms: int = 2000) -> Answer:
    port = port or NetPort()
    connection = Connection(port, clock(port), address)
    try:
        return await drive(connection.ask("GET", "/x", {"A": "b"}, b"", patience_ms))
    finally:
        connection.close()
        assert not port.watched


async def answered(raw: bytes, *, pieces: int = 1, port: NetPort | None = None) -> Answer:
    """The client's view of a server that says just this, in pieces, and then waits."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        step = max(1, len(raw) // pieces)
        for at in range(0, len(raw), step):
            writer.write(raw[at : at + step])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    async with server(serve) as address:
        return await ask(address, port=port)


@pytest.mark.parametrize(
    "raw",
    [
        OK,
        b"HTTP/1.1 200\r\ncontent-length:2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\nTrailer: yes\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    ],
    ids=["plain", "no reason", "chunked", "trailer", "continue"],
)
@pytest.mark.parametrize("pieces", [1, 1000])
async def test_an_answer_is_read_however_it_is_cut(raw: bytes, pieces: int) -> None:
    answer = await answered(raw, pieces=pieces)
    assert (answer.status, answer.body) == (200, b"{}")


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nwithout an end",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}junk\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\xff\xfe: x\r\n\r\n",
        b"HTTP/1.1 20x OK\r\n\r\n",
        b"\r\n\r\n",
        b"\0" * 10000,
    ],
)
async def test_what_is_no_answer_is_refused(raw: bytes) -> None:
    with pytest.raises(HttpError):
        await answered(raw, port=NetPort(speed=20))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", OK[:-2]]))
def test_no_bytes_do_more_than_fail(noise: bytes, begin: bytes) -> None:
    async def scenario() -> None:
        try:
            answer = await answered(begin + noise, port=NetPort(speed=500))
            assert len(answer.body) <= 8192
        except HttpError:
            pass

    asyncio.run(scenario())


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"], ids=["silent", "stops"])
async def test_who_takes_too_long_is_given_up(says: bytes) -> None:
    with pytest.raises(HttpError, match="too long"):
        await answered(says, port=NetPort(speed=50))


async def test_a_trickle_ends_in_time_too() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"H")
            await asyncio.sleep(0.01)

    async with server(serve) as address:
        with pytest.raises(HttpError):
            await ask(address, port=NetPort(speed=50))


async def test_nobody_there_is_told_at_once() -> None:
    async with server(lambda _, writer: asyncio.sleep(0)) as address:
        pass
    with pytest.raises(HttpError):
        await ask(address)


async def test_one_connection_serves_many_requests_and_is_made_anew_when_it_ended() -> None:
    made = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(writer)
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)

    port = NetPort()
    async with server(serve) as address:
        connection = Connection(port, clock(port), address)
        for _ in range(4):
            assert (await drive(connection.ask("GET", "/", {}, b"", 2000))).status == 200
            await asyncio.sleep(0.02)
            connection.look()
        assert len(made) == 2
        assert not port.watched  # the second one's end was seen, too
        connection.close()


async def test_what_comes_after_an_answer_is_not_the_next_one() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
        await reader.read()

    port = NetPort()
    async with server(serve) as address:
        connection = Connection(port, clock(port), address)
        for _ in range(2):
            assert (await drive(connection.ask("GET", "/", {}, b"", 2000))).body == b"{}"
            await asyncio.sleep(0.02)
        connection.close()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://10.0.0.5:5000", "http://10.0.0.5:5000"),
        (" http://hub.local/ ", "http://hub.local:80"),
        ("https://hub/v1/x", "https://hub:443"),
        ("ftp://hub", None),
        ("hub:5000", None),
        ("http://", None),
        ("http://hub:0", None),
        ("http://hub:70000", None),
        ("http://hub:x", None),
        ("http://hub\r\nEvil: x", None),
        ("http://a b", None),
    ],
)
def test_only_addresses_are_taken_for_one(url: str, address: str | None) -> None:
    found = parsed(url)
    assert (str(found) if found is not None else None) == address
