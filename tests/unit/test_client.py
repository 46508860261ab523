"""The command line's way to a hub: what must not happen twice is asked for again under the same key."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from edge import client
from edge.client import Client
from edge.errors import Rejected, Unreachable
from edge.serving.problems import problem
from edge.wire.vending import Restock


class Forgetful:
    """A hub whose answers are lost, `lost` of them; `keys` are those it was asked under."""

    def __init__(self, lost: int, *, refuses: bool = False) -> None:
        self.lost, self.refuses = lost, refuses
        self.keys: list[str] = []

    async def ask(self) -> object:
        """Restock once, as a verb does."""
        app = web.Application()
        app.router.add_post("/restock", self._restock)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            async with aiohttp.ClientSession() as session:
                return await Client(session, f"http://127.0.0.1:{port}").send_once(
                    "POST", "/restock", Restock(add=1)
                )
        finally:
            await runner.cleanup()

    async def _restock(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        assert await request.json() == {"add": 1, "count": None, "note": ""}
        if len(self.keys) <= self.lost:
            assert request.transport is not None
            request.transport.abort()
        return problem(Rejected("No.")) if self.refuses else web.json_response({"count": 1})


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its length is no matter here."""
    monkeypatch.setattr(client, "ONCE_PAUSE_S", 0.001)


async def test_a_lost_answer_is_asked_for_again_under_the_same_key() -> None:
    hub = Forgetful(lost=2)
    assert await hub.ask() == {"count": 1}
    assert len(hub.keys) == 3
    assert len(set(hub.keys)) == 1


async def test_a_hub_that_never_answers_is_given_up_and_said_so() -> None:
    hub = Forgetful(lost=99)
    with pytest.raises(Unreachable):
        await hub.ask()
    assert len(hub.keys) == 3


async def test_a_refusal_is_an_answer() -> None:
    hub = Forgetful(lost=0, refuses=True)
    with pytest.raises(Rejected):
        await hub.ask()
    assert len(hub.keys) == 1
