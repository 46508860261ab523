"""Addresses from strangers: nothing inside the site is ever connected to. Real sockets, connections counted."""

import asyncio
import ssl
from ipaddress import ip_address, ip_network

import pytest
import trustme

from edge.content.intake.fetch import Fetcher
from edge.content.intake.forms import MAX_PICTURE_BYTES
from edge.errors import BadPicture, OutpostError, TooLarge, Unreachable
from edge.outbound import is_public

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Listener:
    """A bare HTTP/1.1 listener: answers with `reply`, counts who connects."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.reply = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
        self.dropped_first = 0

    async def __call__(self, reader, writer) -> None:
        self.connections += 1
        try:
            if self.connections <= self.dropped_first:
                return
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.reply)
            await writer.drain()
            if b"hang" in self.requests[-1]:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def listener():
    here = Listener()
    server = await asyncio.start_server(here, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    yield here
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://0x7f.1:{port}/",
        "http://2130706433:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://0.0.0.0:{port}/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::ffff:7f00:1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1%25lo]:{port}/",
        "http://user@127.0.0.1:{port}/",
        "http://user:word@192.0.2.1:{port}/",
        "http://127.0.0.1:{port}\\@192.0.2.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}/",
        "http:///nowhere",
        "http://[::1",
        "http://a:notaport/",
        "http://" + "a" * 70 + ".example/",
        "http://192.0.2.1/" + "x" * 3000,
    ],
)
async def test_none_of_these_connects(listener, url):
    with pytest.raises(OutpostError):
        await Fetcher(deadline_s=1).fetch(url.format(port=listener.port))
    assert listener.connections == 0


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
     "240.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "::ffff:10.0.0.1", "fe80::1", "fc00::1", "fec0::1",
     "ff02::1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "2001:db8::1"],
)  # fmt: skip
def test_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public(address):
    assert is_public(ip_address(address))


async def test_one_private_address_among_public_ones_is_enough(listener):
    async def resolve(host, port):
        return ["1.1.1.1", "127.0.0.1"]

    with pytest.raises(BadPicture, match="public"):
        await Fetcher(resolve=resolve).fetch(f"http://two.example:{listener.port}/")
    assert listener.connections == 0


async def test_a_name_is_resolved_once_and_that_address_used(listener):
    """DNS rebinding: the second answer would be another address, and is never asked for."""
    answers = []

    async def resolve(host, port):
        answers.append(host)
        return ["127.0.0.1"] if len(answers) == 1 else ["127.0.0.2"]

    fetcher = Fetcher(LOOPBACK, resolve=resolve)
    assert await fetcher.fetch(f"http://shop.example:{listener.port}/qr.png") == b"abc"
    assert answers == ["shop.example"]
    assert f"Host: shop.example:{listener.port}".encode() in listener.requests[0]


async def test_an_allowed_network_and_no_other(listener):
    url = f"http://127.0.0.1:{listener.port}/"
    assert await Fetcher(LOOPBACK).fetch(url) == b"abc"
    with pytest.raises(BadPicture):
        await Fetcher((ip_network("10.0.0.0/8"),)).fetch(url)
    assert listener.connections == 1


async def test_proxies_of_the_environment_are_not_used(listener, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:9")
    assert await Fetcher(LOOPBACK).fetch(f"http://127.0.0.1:{listener.port}/") == b"abc"


async def test_redirects_are_not_followed(listener):
    listener.reply = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/secret\r\nContent-Length: 6\r\n\r\nsecret"
    with pytest.raises(BadPicture) as caught:
        await Fetcher(LOOPBACK).fetch(f"http://127.0.0.1:{listener.port}/")
    assert listener.connections == 1
    assert "302" in caught.value.detail
    assert "secret" not in caught.value.detail + caught.value.advice


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 404 secret\r\nX-Secret: secret\r\nContent-Length: 6\r\n\r\nsecret",
        b"HTTP/1.1 500 secret\r\nContent-Length: 6\r\n\r\nsecret",
        b"HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\nsecret",
        b"HTTP/1.1 200 OK\r\nX: " + b"secret" * 10_000 + b"\r\n\r\n",
        b"secret\r\n\r\n",
    ],
)
async def test_no_error_says_what_the_server_said(listener, reply):
    listener.reply = reply
    with pytest.raises(OutpostError) as caught:
        await Fetcher(LOOPBACK).fetch(f"http://127.0.0.1:{listener.port}/")
    assert "secret" not in caught.value.detail + caught.value.advice
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("told", [True, False])
async def test_a_huge_body_is_cut_off(listener, told):
    length = b"Content-Length: %d\r\n" % (MAX_PICTURE_BYTES + 1) if told else b""
    listener.reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + length + b"\r\n" + bytes(MAX_PICTURE_BYTES + 1)
    with pytest.raises(TooLarge):
        await Fetcher(LOOPBACK).fetch(f"http://127.0.0.1:{listener.port}/")
    assert listener.connections == 1


async def test_a_slow_body_ends_at_the_deadline(listener):
    listener.reply = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    with pytest.raises(Unreachable):
        await Fetcher(LOOPBACK, deadline_s=0.2).fetch(f"http://127.0.0.1:{listener.port}/hang")
    assert listener.connections == 1


async def test_a_broken_connection_is_tried_once_more(listener):
    listener.dropped_first = 1
    assert await Fetcher(LOOPBACK).fetch(f"http://127.0.0.1:{listener.port}/") == b"abc"
    listener.connections, listener.dropped_first = 0, 5
    with pytest.raises(Unreachable):
        await Fetcher(LOOPBACK).fetch(f"http://127.0.0.1:{listener.port}/")
    assert listener.connections == 2


async def test_a_body_that_breaks_off_is_asked_for_twice(listener):
    listener.reply = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"
    with pytest.raises(Unreachable):
        await Fetcher(LOOPBACK).fetch(f"http://127.0.0.1:{listener.port}/")
    assert listener.connections == 2


async def test_nothing_is_inflated(listener):
    listener.reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    assert await Fetcher(LOOPBACK).fetch(f"http://127.0.0.1:{listener.port}/") == b"abc"


async def test_a_certificate_nobody_signed_is_refused():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    here = Listener()
    server = await asyncio.start_server(here, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Unreachable):
        await Fetcher(LOOPBACK).fetch(f"https://127.0.0.1:{port}/")
    assert here.requests == []
    server.close()
    await server.wait_closed()
