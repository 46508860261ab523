"""A service on this machine that answers as it is told, and counts who asks what."""

import asyncio
from ipaddress import ip_network

import pytest

from edge.content.sources.fetching import Fetcher
from edge.outbound import Outbound

HERE = (ip_network("127.0.0.0/8"),)


def answer(body: bytes | str, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer."""
    body = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


class Service:
    """`replies` by path, else `reply`; a reply is what is sent. A path with `hang` in it is then left open."""

    def __init__(self) -> None:
        self.replies: dict[str, bytes] = {}
        self.reply = answer('{"joke": "ha"}')
        self.requests: list[str] = []
        self.at_once = self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.port = 0

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def heads(self, name: str) -> list[str]:
        """What each request had under this header."""
        lines = [line for request in self.requests for line in request.split("\r\n")]
        return [line.partition(": ")[2] for line in lines if line.lower().startswith(name.lower() + ":")]

    async def __call__(self, reader, writer) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await self.gate.wait()
            path = request.split(" ")[1]
            writer.write(self.replies.get(path.partition("?")[0], self.reply))
            await writer.drain()
            if "hang" in path:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.at_once -= 1
            writer.close()


@pytest.fixture
async def service():
    here = Service()
    server = await asyncio.start_server(here, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    yield here
    server.close()
    await server.wait_closed()


@pytest.fixture
def fetcher():
    return Fetcher(Outbound(HERE), user_agent="Outpost/test", now_s=lambda: 1_763_700_000.0)


@pytest.fixture
def answered():
    return answer
