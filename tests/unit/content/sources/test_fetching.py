"""One fetch against a real server: what it may send, what it may not, and where nobody is sent."""

import gzip

import pytest

from edge.content.sources.asking import ask_of
from edge.content.sources.fetching import BODY_BYTES, Fetcher, Heard, Refusal, retry_after_s
from edge.outbound import Outbound
from edge.wire.content import SourceDocument, SourceField
from tests.unit.content.sources.conftest import HERE

FIELDS = (SourceField(name="joke", path="joke"),)


def asking(url: str, **more):
    return ask_of(SourceDocument(url=url, fields=FIELDS, every_s=60, **more))


async def refused(fetcher, url, **more) -> str:
    with pytest.raises(Refusal) as said:
        await fetcher.fetch(asking(url, **more))
    return said.value.reason


async def test_it_asks_plainly_and_takes_the_fields(service, fetcher, answered):
    service.reply = answered(
        '\ufeff{"joke": "one &amp; two"}', ETag='"v1"', Last_Modified="Fri, 21 Nov 2025 10:00:00 GMT"
    )
    heard = await fetcher.fetch(asking(service.url("/joke?kind=dad")))
    assert heard == Heard({"joke": "one & two"}, '"v1"', "Fri, 21 Nov 2025 10:00:00 GMT")
    assert service.requests[0].startswith("GET /joke?kind=dad HTTP/1.1\r\n")
    assert service.heads("Accept-Encoding") == ["identity"]
    assert service.heads("Accept") == ["application/json"]
    assert service.heads("User-Agent") == ["Outpost/test"]
    assert service.heads("If-None-Match") == []


async def test_what_it_has_already_is_not_sent_again(service, fetcher, answered):
    service.reply = answered("", "304 Not Modified")
    heard = await fetcher.fetch(asking(service.url()), '"v1"', "Fri, 21 Nov 2025 10:00:00 GMT")
    assert heard == Heard(None, '"v1"', "Fri, 21 Nov 2025 10:00:00 GMT")
    assert service.heads("If-None-Match") == ['"v1"']
    assert service.heads("If-Modified-Since") == ["Fri, 21 Nov 2025 10:00:00 GMT"]
    assert "answered 304" in await refused(fetcher, service.url())  # nobody asked it so


async def test_a_feed(service, fetcher, answered):
    service.reply = answered("<rss><channel><item><title>A</title></item></channel></rss>")
    heard = await fetcher.fetch(ask_of(SourceDocument(preset="feed", url=service.url())))
    assert heard.values is not None
    assert heard.values["headline 1"] == "A"
    assert "application/rss+xml" in service.heads("Accept")[0]


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b'HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"joke": "ha', "broke off"),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"jok', "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", "its answer is more than 1,048,576 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (BODY_BYTES + 1), "its answer is more than 1,048,576 bytes"),
        (b"220 smtp.example ESMTP\r\n", "does not answer"),
        (b"", "does not answer"),
    ],
    ids=["cut", "cut-chunk", "says-too-large", "too-large", "no-http", "nothing"],
)
async def test_bodies_that_are_none(service, fetcher, reply, why):
    service.reply = reply
    assert why in await refused(fetcher, service.url())


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "is no JSON"),
        (b"\xff\xfe{}", "is no JSON"),
        (b"", "is no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"jok": 1}', "not as expected: the answer has no `joke`; it has `jok`"),
        (b'{"joke": ["a"]}', "not as expected: `joke` is a list of 1"),
    ],
)
async def test_answers_that_say_something_else(service, fetcher, answered, body, why):
    service.reply = answered(body)
    assert why in await refused(fetcher, service.url())


@pytest.mark.parametrize("packing", ["gzip", "deflate", "br", "zstd"])
async def test_nothing_packed_is_unpacked(service, fetcher, answered, packing):
    service.reply = answered(gzip.compress(b" " * 20_000_000), Content_Encoding=packing)
    assert "packed" in await refused(fetcher, service.url())


async def test_a_slow_body_ends_at_the_deadline(service):
    service.reply = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"joke"'
    hasty = Fetcher(Outbound(HERE), user_agent="x", now_s=lambda: 0.0, deadline_s=0.2)
    assert "within 0.2 s" in await refused(hasty, service.url("/hang"))


async def test_redirects_are_followed_three_times(service, fetcher, answered):
    for number in range(4):
        service.replies[f"/{number}"] = answered("", "302 Found", Location=f"{number + 1}")
    service.replies["/4"] = answered('{"joke": "there"}')
    assert (await fetcher.fetch(asking(service.url("/1")))).values == {"joke": "there"}
    assert "more than 3 times" in await refused(fetcher, service.url("/0"))


async def test_a_redirect_is_looked_at_like_the_first_address(service, fetcher, answered):
    inside = {
        "http://169.254.169.254/latest/": "private",
        "http://10.0.0.1/": "private",
        "http://[::1]:9/": "private",
        "file:///etc/passwd": "not an http or https address",
        "http://me:word@127.0.0.1/": "name or password",
        "http://[": "leads on to nowhere",
    }
    for where, why in inside.items():
        service.replies["/away"] = answered("", "301 Moved", Location=where)
        assert why in await refused(fetcher, service.url("/away")), where


async def test_private_addresses_are_refused_unless_they_are_allowed(service):
    strict = Fetcher(Outbound(), user_agent="x", now_s=lambda: 0.0)
    assert "content.fetch_allow" in await refused(strict, service.url())
    assert "content.fetch_allow" in await refused(strict, f"http://localhost:{service.port}/")
    assert service.requests == []


@pytest.mark.parametrize(("status", "wait_s"), [("429 Too Many Requests", 120.0), ("503 Not Now", 120.0)])
async def test_it_says_how_long_its_server_wants_to_be_left_alone(service, fetcher, answered, status, wait_s):
    service.reply = answered("later", status, Retry_After="120")
    with pytest.raises(Refusal, match=f"it answered {status[:3]}") as said:
        await fetcher.fetch(asking(service.url()))
    assert said.value.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "9" * 400}, 86_400.0),
        ({"Retry-After": "Fri, 21 Nov 2025 10:02:00 GMT", "Date": "Fri, 21 Nov 2025 10:00:00 GMT"}, 120.0),
        ({"Retry-After": "Fri, 21 Nov 2025 10:02:00 GMT"}, 60.0),
        ({"Retry-After": "Fri, 21 Nov 2025 09:00:00 GMT"}, 0.0),
        ({"Retry-After": "Fri, 21 Nov 9999 09:00:00 GMT"}, 86_400.0),
        ({"Retry-After": "Fri, 99 Nov 2025 09:00:00 GMT"}, 0.0),
    ],
)
def test_retry_after(headers, wait_s):
    assert retry_after_s(headers, 1_763_719_260.0) == wait_s
