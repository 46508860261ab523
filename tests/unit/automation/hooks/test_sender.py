"""Sending: in order, again until taken, never into the site's own network; real sockets, connections counted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from edge.automation.hooks import model, sender, store
from edge.automation.hooks.hooks import Hooks
from edge.automation.hooks.model import OLD_SECRET_S, Delivery, Hook, signature
from edge.automation.hooks.sender import Patience, Sender
from edge.bus import Bus
from edge.clock import ManualClock
from edge.errors import BadInput
from edge.outbound import Outbound
from edge.store.database import Store
from tests.fakes.receiver import BROKEN, OK, Receiver, receiver

LOOPBACK = (ip_network("127.0.0.0/8"),)
QUICK = Patience(attempts=5, first_s=0.01, longest_s=0.05, spread_s=0.01)
DEADLINE_S = 60.0
Resolve = Callable[[str, int], Awaitable[list[str]]]


class Site:
    """Webhooks over a real database; opened again on the same files it is a restart of the hub."""

    def __init__(self, directory: Path, outbound: Outbound, patience: Patience) -> None:
        self.clock, self.bus, self.outbound = ManualClock(), Bus(), outbound
        self.store = Store(directory, self.bus, self.clock, free_floor_mb=1, ballast_mb=0)
        self.hooks = Hooks(self.store.hub, self.bus, self.clock, outbound, site="test", names=lambda device: "Desk")
        self.sender = Sender(
            self.hooks, self.store.hub, outbound, self.bus, self.clock, user_agent="Outpost", patience=patience
        )

    async def hook(self, url: str) -> Hook:
        """A hook that is stored whatever its address: what is refused when it is made must be refused later too."""
        hook = Hook(
            id=model.new_id("hook"), name=url[:60], url=url, events=("command",), secret="s" * 32,
            created_us=0, created_by="test",
        )  # fmt: skip
        return await self.hooks._save(hook, "hook.created", "test")

    async def tell(self, hook: Hook, *texts: str) -> list[Delivery]:
        """Put messages into the outbox."""
        messages = [self.hooks.message(hook, "command.failed", 0, "d", {"text": text}) for text in texts]
        await self.hooks.put(messages)
        return messages

    async def ends(self, hook: Hook, delivery: Delivery) -> Delivery:
        """A message once it waits no longer."""
        async with asyncio.timeout(DEADLINE_S):
            while (now := await self.hooks.delivery(hook, delivery.id)).state == "waiting":  # noqa: ASYNC110 - a row has no event
                await asyncio.sleep(0.01)
        return now


@contextlib.asynccontextmanager
async def site(
    directory: Path, *, allowed: bool = True, resolve: Resolve | None = None, patience: Patience = QUICK
) -> AsyncIterator[Site]:
    """A site that sends."""
    networks = LOOPBACK if allowed else ()
    here = Site(directory, Outbound(networks, resolve=resolve) if resolve else Outbound(networks), patience)
    await here.store.open()
    await here.hooks.start()
    sending = asyncio.create_task(here.sender.run())
    try:
        yield here
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await here.store.close()


async def test_messages_come_in_order_signed_over_their_very_bytes(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path) as here:
        hook = await here.hook(there.url)
        sent = await here.tell(hook, *(f"number {n}" for n in range(20)))
        got = await there.count(20)
        assert [one.json["data"]["text"] for one in got] == [f"number {n}" for n in range(20)]
        for one, delivery in zip(got, sent, strict=True):
            at_s = here.clock.at_us // 1_000_000
            expected = signature(one.body, at_s, [hook.secret])
            assert {name: one.headers[name] for name in expected} == expected
            assert one.headers["X-Outpost-Delivery"] == delivery.id == one.json["id"]
            assert one.body == delivery.body
        last = await here.ends(hook, sent[-1])
        assert (last.state, last.status, last.attempts, last.body) == ("delivered", 204, 1, None)


async def test_a_message_is_tried_again_and_holds_up_those_behind_it(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path) as here:
        there.answer = lambda number: BROKEN if number <= 3 else OK
        hook = await here.hook(there.url)
        first, second = await here.tell(hook, "first", "second")
        assert (await here.ends(hook, second)).attempts == 1
        assert (await here.ends(hook, first)).attempts == 4
        texts = [one.json["data"]["text"] for one in there.got]
        assert texts == ["first"] * 4 + ["second"]
        assert len({one.body for one in there.got[:4]}) == 1  # the same bytes each time


async def test_a_busy_hook_is_tried_no_sooner_because_more_comes(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path, patience=Patience(first_s=60.0)) as here:
        there.answer = lambda number: BROKEN
        hook, other = await here.hook(there.url), await here.hook(there.url + "/other")
        (first,) = await here.tell(hook, "first")
        await there.count(1)
        for number in range(20):
            await here.tell(hook, f"more {number}")
        there.answer = lambda number: OK
        (passed,) = await here.tell(other, "so much time has passed")
        await here.ends(other, passed)
        assert (await here.hooks.delivery(hook, first.id)).attempts == 1
        assert await here.hooks.retry(hook) == 0  # by hand it is tried at once
        await there.count(23)


async def test_what_is_never_taken_is_given_up_shown_and_sent_again_by_hand(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path) as here:
        there.answer = lambda number: BROKEN
        hook = await here.hook(there.url)
        (message,) = await here.tell(hook, "poison")
        dead = await here.ends(hook, message)
        assert (dead.state, dead.attempts, dead.status, dead.reason) == ("dead", 5, 500, "it answered 500")
        assert (await here.hooks.counts())[hook.id, "dead"] == 1
        (after,) = await here.tell(hook, "the next one")
        there.answer = lambda number: OK
        assert (await here.ends(hook, after)).state == "delivered"
        assert await here.hooks.retry(hook) == 1
        assert (await here.ends(hook, message)).state == "delivered"
        assert there.got[-1].json["data"]["text"] == "poison"


async def test_one_receiver_that_hangs_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "ATTEMPT_S", 0.3)
    async with receiver() as hangs, receiver() as works, site(tmp_path) as here:
        hangs.answer = lambda number: None
        slow, quick = await here.hook(hangs.url), await here.hook(works.url)
        (stuck,) = await here.tell(slow, "stuck")
        (fine,) = await here.tell(quick, "fine")
        assert (await here.ends(quick, fine)).state == "delivered"
        assert "no answer within" in (await here.ends(slow, stuck)).reason


async def test_a_huge_or_endless_body_of_an_answer_costs_nothing(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path) as here:
        there.answer = lambda number: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100_000
        hook = await here.hook(there.url)
        (message,) = await here.tell(hook, "x")
        assert (await here.ends(hook, message)).state == "delivered"


INSIDE = [
    "http://127.0.0.1:{port}/", "http://127.1:{port}/", "http://0x7f.1:{port}/", "http://2130706433:{port}/",
    "http://0177.0.0.1:{port}/", "http://0.0.0.0:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://169.254.169.254/latest/",
    "http://user@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@192.0.2.1/", "file:///etc/passwd",
    "http://" + "a" * 70 + ".example/",
]  # fmt: skip
NO_ANSWERS = {
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/inside\r\nContent-Length: 0\r\n\r\n",
    "redirect-307": b"HTTP/1.1 307 Again\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
    "endless-header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
    "endless-headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000,
    "no-http": b"not http at all\r\n\r\n",
    "hang-up": b"",
}


async def test_nothing_inside_the_site_is_ever_connected_to(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path, allowed=False, patience=Patience(attempts=1)) as here:
        for address in (url.format(port=there.port) for url in INSIDE):
            hook = await here.hook(address)
            (message,) = await here.tell(hook, "x")
            assert (await here.ends(hook, message)).state == "dead", address
            with pytest.raises(BadInput):  # and it is not even taken on
                await here.hooks.add("h", address, ["command"], actor="test")
        assert there.connections == 0


async def test_an_answer_that_is_none_is_a_failure_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path, patience=Patience(attempts=1)) as here:
        hook = await here.hook(there.url)
        for name, answer in NO_ANSWERS.items():
            before = there.connections
            there.answer = lambda number, said=answer: said.replace(b"{port}", str(there.port).encode())
            (message,) = await here.tell(hook, "x")
            dead = await here.ends(hook, message)
            assert dead.state == "dead", name
            assert there.connections == len(there.got) == before + 1, name
            assert "inside" not in dead.reason
            assert "yyy" not in dead.reason


async def test_a_name_that_answers_differently_the_second_time_gains_nothing(tmp_path: Path) -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async with receiver() as there, site(tmp_path, resolve=resolve, patience=Patience(attempts=1)) as here:
        hook = await here.hook(f"http://shop.example:{there.port}/hook")
        (first,) = await here.tell(hook, "x")
        assert (await here.ends(hook, first)).state == "delivered"
        assert there.got[0].headers["Host"] == f"shop.example:{there.port}"
        assert asked == ["shop.example"]
        (second,) = await here.tell(hook, "y")
        dead = await here.ends(hook, second)
        assert (dead.state, there.connections) == ("dead", 1)
        assert "hooks.allow" in dead.reason


async def test_two_secrets_are_good_for_a_day_after_a_change(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path) as here:
        hook = await here.hook(there.url)
        changed = await here.hooks.rotate(hook, actor="test")
        assert changed.secret != hook.secret
        for advance_s, good in ((0, [changed.secret, hook.secret]), (OLD_SECRET_S + 1, [changed.secret])):
            here.clock.advance(advance_s)
            (message,) = await here.tell(changed, "x")
            await here.ends(changed, message)
            got = there.got[-1]
            expected = signature(got.body, here.clock.at_us // 1_000_000, good)
            assert {name: got.headers[name] for name in expected} == expected


async def test_past_its_bound_the_oldest_make_room_and_the_gap_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "WAITING_MAX", 3)
    async with receiver() as there, site(tmp_path, patience=Patience(first_s=60.0)) as here:
        there.answer = lambda number: BROKEN
        hook = await here.hook(there.url)
        await here.tell(hook, *(f"number {n}" for n in range(10)))
        await there.count(1)
        assert (await here.hooks.counts())[hook.id, "dropped"] == 7
        there.answer = lambda number: OK
        last = (await here.tell(hook, "the last"))[0]
        here.sender.wake(hook.id, hurry=True)
        await here.ends(hook, last)
        assert (await here.hooks.counts())[hook.id, "dropped"] == 0
        rows = await here.store.hub.read("SELECT body FROM ledger WHERE kind = 'gap' ORDER BY seq")
        assert '"began":true' in rows[0][0]
        assert '"count":8' in rows[1][0]
        assert len(rows) == 2


async def test_what_waits_and_what_is_dead_is_bounded_in_bytes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "WAITING_BYTES", 5000)
    monkeypatch.setattr(store, "DEAD_BYTES", 2500)
    async with receiver() as there, site(tmp_path, patience=Patience(attempts=1)) as here:
        there.answer = lambda number: BROKEN
        hook = await here.hook(there.url)
        await here.hooks.change(hook, {"enabled": False}, actor="test")
        sent = await here.tell(hook, *("x" * 800 for _ in range(20)))
        size = len(sent[0].body or b"")
        counts = await here.hooks.counts()
        assert counts[hook.id, "waiting"] == 5000 // size
        assert counts[hook.id, "dropped"] == 20 - 5000 // size
        await here.hooks.change(hook, {"enabled": True}, actor="test")
        assert (await here.ends(hook, sent[-1])).state == "dead"
        assert (await here.hooks.counts())[hook.id, "dead"] == 2500 // size


async def test_a_hook_that_is_removed_or_off_sends_nothing_more(tmp_path: Path) -> None:
    async with receiver() as there, site(tmp_path, patience=Patience(first_s=60.0)) as here:
        there.answer = lambda number: BROKEN
        hook, off = await here.hook(there.url), await here.hook(there.url + "/off")
        await here.tell(hook, "x")
        await there.count(1)
        await here.hooks.delete(hook, actor="test")
        await here.hooks.change(off, {"enabled": False}, actor="test")
        await here.tell(off, "y")
        await here.tell(hook, "z")
        assert await here.store.hub.read("SELECT 1 FROM hook_deliveries WHERE hook_id = ?", (hook.id,)) == []
        there.answer = lambda number: OK
        await here.hooks.change(off, {"enabled": True}, actor="test")
        await there.count(2)
        assert there.got[1].json["data"]["text"] == "y"
        assert len(there.got) == 2


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    async with receiver() as there:
        there.answer = lambda number: BROKEN
        async with site(tmp_path, patience=Patience(first_s=60.0)) as here:
            hook = await here.hook(there.url)
            await here.tell(hook, "one", "two")
            await there.count(1)
        there.answer = lambda number: OK
        async with site(tmp_path) as here:
            await there.count(3)
        assert [got.json["data"]["text"] for got in there.got] == ["one", "one", "two"]
        assert isinstance(there, Receiver)
