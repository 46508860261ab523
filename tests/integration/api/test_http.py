"""HTTP itself: what no route takes, what breaks its rules, and connections that want to live for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from edge.serving import connections
from edge.serving.connections import Connections
from edge.serving.server import Listen, Server
from tests.integration.running_hub import RunningHub
from tests.patience import AT_ONCE_S

GET = "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"


async def test_what_is_not_there_is_said_as_a_problem(running_hub: RunningHub) -> None:
    for method, path, status, code in (
        ("GET", "/", 404, "no-route"),
        ("GET", "/v1", 404, "no-route"),
        ("GET", "/v1/nothing", 404, "no-route"),
        ("POST", "/v1/" + "x" * 5000, 404, "no-route"),
        ("PUT", "/v1/devices", 405, "wrong-method"),
        ("DELETE", "/healthz", 405, "wrong-method"),
        ("PATCH", "/v1/status", 405, "wrong-method"),
    ):
        answer = await running_hub.ask(method, path)
        assert (answer.status, answer.code) == (status, code), path
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.body["hint"]
        assert answer.body["type"] == f"/problems/{code}"
        assert len(answer.body["detail"]) < 510
    assert (await running_hub.ask("PUT", "/v1/devices")).headers["Allow"] == "GET, HEAD, POST"


async def test_head_is_get_without_its_body_and_options_is_no_door(running_hub: RunningHub) -> None:
    for path in ("/healthz", "/v1/status", "/v1/devices"):
        get, head = await running_hub.get(path), await running_hub.ask("HEAD", path)
        assert (head.status, head.body) == (get.status, b"")
        assert head.headers["Content-Length"] != "0"
    assert (await running_hub.ask("HEAD", "/v1/status", key="")).status == 401
    assert (await running_hub.ask("HEAD", "/v1/live")).status == 405
    for method in ("OPTIONS", "TRACE"):
        asked = await running_hub.ask(
            method, "/v1/keys", Origin="http://evil", Access_Control_Request_Method="POST"
        )
        assert asked.status == 405
        assert "Access-Control-Allow-Origin" not in asked.headers


async def test_requests_that_break_the_rules_are_refused_and_hung_up_on(running_hub: RunningHub) -> None:
    cases = {
        "a length and chunks": GET + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "two lengths": GET + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "a length that is none": GET + "Content-Length: -5\r\n\r\n",
        "a length with a sign": GET + "Content-Length: +5\r\n\r\nhello",
        "two hosts": GET + "Host: other\r\n\r\n",
        "a broken chunk": GET.replace("GET", "POST") + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
        "an unknown coding": GET + "Transfer-Encoding: xchunked\r\n\r\n",
        "a 20 KB header": GET + f"X: {'x' * 20_000}\r\n\r\n",
        "too many headers": GET + "".join(f"X-{n}: y\r\n" for n in range(20_000)) + "\r\n",
        "a folded header": GET + "X: a\r\n b\r\n\r\n",
        "a space before the colon": GET + "Content-Length : 5\r\n\r\nhello",
        "a bare CR": GET + "X: a\rb\r\n\r\n",
        "a NUL": GET + "X: a\x00b\r\n\r\n",
        "no HTTP": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "an unknown method": GET.replace("GET", "G@T") + "\r\n",
        "HTTP/9.9": GET.replace("1.1", "9.9") + "\r\n",
    }
    for what, request in cases.items():
        answer = await running_hub.raw(request)
        assert answer.count(b"\r\nServer:") <= 1, what
        assert answer.split()[1:2] in ([b"400"], [b"405"], [b"431"], []), (what, answer[:150])
    assert (await running_hub.get("/healthz")).status == 200


async def test_bytes_that_are_no_text_crash_no_handler(running_hub: RunningHub) -> None:
    viewer = running_hub.keys["admin"]
    for path in (
        "/\udcff\udcfe", "/%ff%fe", "/v1/devices/%ff", "/v1/devices/%00", "/v1/devices/\udcff", "/v1/keys/%ff",
        "/v1/devices?limit=%ff", "/v1/commands?state=%ff%00", "/v1/commands?state=\udcff",
        "/v1/ports/monitor?path=%ff",
        "/v1/devices/%ed%a0%80/log", "/v1/devices/x/workstation?computer_name=%ff", "/v1/claims/%ff",
        "/v1/%ff?a=%ff",
    ):  # fmt: skip
        for method in ("GET", "DELETE", "POST"):
            answer = await running_hub.raw(
                f"{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n"
                f"Authorization: Bearer {viewer}\r\nX-Odd: \udcff\r\nUser-Agent: \udcff\udcfe\r\n\r\n"
            )
            status = int(answer.split()[1])
            assert status < 500, (method, path, answer[:300])
            assert status < 400 or b"problem+json" in answer or status == 400, (method, path)
    assert (await running_hub.get("/v1/knocking")).status == 200


async def test_an_expectation_nobody_can_meet_is_a_problem_too(running_hub: RunningHub) -> None:
    answer = await running_hub.raw(GET + "Expect: a-miracle\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 417 ")


async def test_connections_that_say_nothing_whole_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SWEEP_S", 0.05)
    app = web.Application()
    begun = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(1.0)
        return web.Response(text="done")

    app.router.add_get("/", slow)
    bounds = Connections(first_request_s=0.3, most=3)
    server = Server(app, bounds)
    (bound,) = await server.start([Listen("127.0.0.1", 0, tls=False)], None, tmp_path / "s")
    try:
        served = await asyncio.open_connection("127.0.0.1", bound.port)
        served[1].write(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        await begun.wait()
        silent = [await asyncio.open_connection("127.0.0.1", bound.port) for _ in range(6)]
        for number, (_, writer) in enumerate(silent):
            writer.write(b"GET / HTTP/1.1\r\nX-Slow: " if number % 2 else b"")
        async with asyncio.timeout(60):
            assert [await reader.read() for reader, _ in silent] == [b""] * 6
            assert (await served[0].read()).endswith(b"done")
        assert bounds.closed == 6
        for _, writer in [served, *silent]:
            writer.close()
    finally:
        await server.stop()


async def test_a_thousand_connections_are_served_and_given_back(running_hub: RunningHub) -> None:
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    try:
        for _ in range(10):
            opened += await asyncio.gather(
                *(asyncio.open_connection("127.0.0.1", running_hub.port) for _ in range(100))
            )
        for _, writer in opened:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
        async with asyncio.timeout(AT_ONCE_S):
            answers = await asyncio.gather(*(reader.readuntil(b"}") for reader, _ in opened))
        assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
        assert (await running_hub.get("/v1/status")).status == 200
    finally:
        for _, writer in opened:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)
