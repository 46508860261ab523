"""Handing out over a live conversation: one at a time, in order, and nothing is stuck or lost on the way."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from edge.commands import dispatch
from edge.commands.history import History
from edge.commands.model import Command
from edge.devices.model import Device
from edge.errors import StorageError
from edge.wire.commands import State
from edge.wire.orders import Order, Outcome, Verdict
from tests.unit.commands.queue_site import (
    NOT_SENT,
    UNKNOWN,
    Plain,
    QueueSite,
    Scripted,
    dispatching,
    queue_site,
)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause as short as can be: its length is no matter here."""
    monkeypatch.setattr(dispatch, "NOT_SENT_PAUSE_S", 0.001)


async def pictures(site: QueueSite, device: Device, count: int) -> list[Command]:
    """Commands that do not replace one another."""
    give = site.commands.accept
    return [await give(device, "store_picture", {"slot": n}, actor="ann") for n in range(1, count + 1)]


async def test_one_at_a_time_and_in_order(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display()
        first = await pictures(site, device, 3)
        line = Scripted()
        dispatcher.up(device.id, line, "serial")
        later = await pictures(site, device, 2)
        await site.ends_as(later[-1], State.SUCCEEDED)
        assert [order.id for order in line.orders] == [command.id for command in [*first, *later]]
        assert [order.seq for order in line.orders] == [1, 2, 3, 4, 5]
        assert line.most_under_way == 1


async def test_the_intent_is_on_disk_before_the_first_byte_leaves(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display()
        command = await site.qr(device)
        line = Scripted(hold=True)
        dispatcher.up(device.id, line, "serial")
        order = await line.asked()
        assert await site.state(command) is State.SENT
        assert 0 < order.ttl_ms <= 60_000
        line.answer()
        await site.ends_as(command, State.SUCCEEDED)


async def test_what_was_not_sent_is_tried_again_after_a_pause(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display(profile="nic-display")
        command = await site.commands.accept(device, "reboot", {}, actor="ann")
        line = Scripted(NOT_SENT, NOT_SENT, NOT_SENT)
        dispatcher.up(device.id, line, "serial")
        await site.ends_as(command, State.SUCCEEDED)
        attempts = await History(site.store.hub).attempts(command.id)
        assert [attempt.verdict for attempt in attempts] == ["not_sent"] * 3 + ["done"]
        assert {order.seq for order in line.orders} == {1}


@pytest.mark.parametrize(
    ("profile", "kind", "orders", "ends"),
    [
        ("native", "display_qr", 2, State.SUCCEEDED),
        ("native", "reboot", 2, State.SUCCEEDED),
        ("nic-display", "display_qr", 2, State.SUCCEEDED),
        ("nic-display", "reboot", 1, State.IN_DOUBT),
    ],
)
async def test_a_link_lost_in_the_middle(tmp_path: Path, profile: str, kind: str, orders: int, ends: State) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display(profile=profile)
        args = {"payload": "pay:1"} if kind == "display_qr" else {}
        command = await site.commands.accept(device, kind, args, actor="ann")
        lost = Scripted(UNKNOWN, hold=True)
        dispatcher.up(device.id, lost, "serial")
        await lost.asked()
        dispatcher.down(device.id)
        lost.answer()
        await site.until(lambda now: now.id == command.id and now.state is not State.SENT)
        back = Scripted()
        dispatcher.up(device.id, back, "serial")
        await site.ends_as(command, ends)
        assert len(lost.orders) == 1, "an ended conversation was asked again"
        assert len(lost.orders) + len(back.orders) == orders


@pytest.mark.parametrize("outcome", [Outcome(verdict=Verdict.DONE), Outcome(verdict=Verdict.FAILED), UNKNOWN])
async def test_a_new_conversation_goes_on_when_the_old_one_says_how_it_ended(
    tmp_path: Path, outcome: Outcome
) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display(profile="nic-display")
        first = await site.commands.accept(device, "reboot", {}, actor="ann")
        second = await site.qr(device)
        old, new = Scripted(outcome, hold=True), Scripted()
        dispatcher.up(device.id, old, "serial")
        await old.asked()
        dispatcher.down(device.id)
        dispatcher.up(device.id, new, "serial")
        await asyncio.sleep(0)  # the new worker has seen that one is under way
        old.answer()
        await site.ends_as(second, State.SUCCEEDED)
        assert first.id not in [order.id for order in new.orders]


async def test_down_and_up_many_times_serves_each_command_once(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display()
        commands = await pictures(site, device, 20)
        lines = [Scripted() for _ in range(10)]
        for line in lines:
            dispatcher.up(device.id, line, "serial")
            await asyncio.sleep(0)
            dispatcher.down(device.id)
        last = Scripted()
        dispatcher.up(device.id, last, "serial")
        await site.ends_as(commands[-1], State.SUCCEEDED)
        given = [order.id for line in [*lines, last] for order in line.orders]
        assert given == [command.id for command in commands]


async def test_what_cannot_be_shown_is_cancelled_with_the_reason(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display()
        bad = await site.commands.accept(device, "store_picture", {"payload": "unreadable"}, actor="ann")
        good = await site.qr(device)
        line = Scripted()
        dispatcher.up(device.id, line, "serial")
        await site.ends_as(good, State.SUCCEEDED)
        ended = await site.commands.get(bad.id)
        assert (ended.state, ended.reason) == (State.CANCELLED, "It cannot be shown: the code is unreadable.")
        assert [order.id for order in line.orders] == [good.id]


async def test_a_fault_ends_one_command_and_the_next_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the intent, where nothing has left; at the link and at the outcome, where the device may have acted."""
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display(profile="nic-display")
        begin, settle = site.commands.begin, site.commands.settle
        commands = [await site.commands.accept(device, "reboot", {}, actor="ann")]
        commands += await pictures(site, device, 2)
        last = await site.qr(device)

        async def faulty_begin(command: Command, link: str) -> Command | None:
            if command.id == commands[0].id:
                raise OverflowError("a number")
            return await begin(command, link)

        async def faulty_settle(command: Command, outcome: Outcome) -> Command:
            if command.id == commands[2].id and outcome.verdict is Verdict.DONE:
                raise OverflowError("a number")
            return await settle(command, outcome)

        class Faulty(Scripted):
            async def deliver(self, order: Order) -> Outcome:
                if order.id == commands[1].id and not self.orders:
                    self.orders.append(order)
                    raise ValueError("a link")
                return await super().deliver(order)

        monkeypatch.setattr(site.commands, "begin", faulty_begin)
        monkeypatch.setattr(site.commands, "settle", faulty_settle)
        dispatcher.up(device.id, Faulty(), "serial")
        await site.ends_as(last, State.SUCCEEDED)
        ends = [(await site.commands.get(command.id)).state for command in commands]
        assert ends == [State.CANCELLED, State.SUCCEEDED, State.IN_DOUBT]


async def test_an_outcome_is_kept_trying_until_it_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display(profile="nic-display")
        settle, failures = site.commands.settle, [StorageError("no"), StorageError("no")]

        async def failing(command: Command, outcome: Outcome) -> Command:
            if failures:
                raise failures.pop()
            return await settle(command, outcome)

        monkeypatch.setattr(site.commands, "settle", failing)
        command = await site.commands.accept(device, "reboot", {}, actor="ann")
        line = Scripted()
        dispatcher.up(device.id, line, "serial")
        await site.ends_as(command, State.SUCCEEDED)
        assert len(line.orders) == 1, "the device was told again because the disk failed"


async def test_a_command_that_cannot_be_begun_is_begun_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display()
        begin, failures = site.commands.begin, [StorageError("no"), StorageError("no")]

        async def failing(command: Command, link: str) -> Command | None:
            if failures:
                raise failures.pop()
            return await begin(command, link)

        monkeypatch.setattr(site.commands, "begin", failing)
        command = await site.qr(device)
        line = Scripted()
        dispatcher.up(device.id, line, "serial")
        await site.ends_as(command, State.SUCCEEDED)
        assert len(line.orders) == 1


class Meanwhile(Plain):
    """Lets something happen while a picture is drawn, once."""

    def __init__(self, happens: Any) -> None:
        self._happens = happens

    async def render(self, command: Command, device: Device) -> tuple[dict[str, Any], bytes]:
        """Render after the thing has happened."""
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens(command)
        return await super().render(command, device)


@pytest.mark.parametrize("payload", ["pay:1", "unreadable"])
@pytest.mark.parametrize("what", ["replaced", "expired", "swept", "cancelled", "forgotten"])
async def test_what_ends_while_it_is_drawn_is_not_sent_and_stops_nobody(
    tmp_path: Path, what: str, payload: str
) -> None:
    async with queue_site(tmp_path) as site:
        device = await site.display()
        other = await site.display("Other")

        async def happens(command: Command) -> None:
            if what == "replaced":
                await site.qr(device, "pay:2")
            elif what in ("expired", "swept"):
                site.clock.advance(61.0)
                if what == "swept":
                    await site.commands.sweep()
            elif what == "cancelled":
                await site.commands.cancel(command, "Cancelled by ann.")
            else:
                await site.registry.forget(device, actor="tess")

        async with dispatching(site, Meanwhile(happens)) as dispatcher:
            first = await site.qr(device, payload)
            line = Scripted()
            dispatcher.up(device.id, line, "serial")
            ended = await site.until(lambda now: now.id == first.id and now.ended_us is not None)
            assert ended.state in (State.SUPERSEDED, State.EXPIRED, State.CANCELLED)
            if what == "forgotten":
                device = other
                dispatcher.up(other.id, line, "serial")
            last = await site.commands.accept(device, "stop_rotation", {}, actor="ann")
            await site.ends_as(last, State.SUCCEEDED)
            assert first.id not in [order.id for order in line.orders]


async def test_a_device_no_longer_approved_is_told_nothing(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        device = await site.display()
        command = await site.qr(device)
        await site.registry.forget(device, actor="tess")
        assert await site.commands.begin(command, "serial") is None
        assert await site.state(command) is State.CANCELLED


async def test_when_the_hub_stops_nothing_goes_on(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        device = await site.display()
        line = Scripted(hold=True)
        async with dispatching(site) as dispatcher:
            command = await site.qr(device)
            dispatcher.up(device.id, line, "serial")
            await line.asked()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("dispatch-")]
        assert await site.state(command) is State.SENT  # judged at the next start


async def test_two_links_want_every_command_and_each_is_given_once(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display()
        cable, wifi = Scripted(), Scripted()
        dispatcher.up(device.id, cable, "serial /dev/ttyUSB0 @115200")
        dispatcher.up(device.id, wifi, "wifi 10.0.0.9")
        commands = await pictures(site, device, 20)
        for command in commands:
            await site.ends_as(command, State.SUCCEEDED)
        given = [order.id for line in (cable, wifi) for order in line.orders]
        assert sorted(given) == sorted(command.id for command in commands)


async def test_what_did_not_leave_over_one_link_goes_over_the_other(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display(profile="nic-display")
        dead = Scripted(*[NOT_SENT] * 1000)
        dispatcher.up(device.id, dead, "wifi 10.0.0.9")
        command = await site.commands.accept(device, "reboot", {}, actor="ann")
        async with asyncio.timeout(60):
            await dead.asked()
        alive = Scripted()
        dispatcher.up(device.id, alive, "serial /dev/ttyUSB0 @115200")
        await site.ends_as(command, State.SUCCEEDED)
        assert [order.id for order in alive.orders] == [command.id]


async def test_what_may_have_left_over_one_link_never_goes_over_the_other(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display(profile="nic-display")
        first, second = Scripted(UNKNOWN, hold=True), Scripted()
        dispatcher.up(device.id, first, "wifi 10.0.0.9")
        command = await site.commands.accept(device, "reboot", {}, actor="ann")
        await first.asked()
        dispatcher.up(device.id, second, "serial /dev/ttyUSB0 @115200")
        first.answer()
        await site.ends_as(command, State.IN_DOUBT)
        assert second.orders == []


async def test_a_link_takes_only_what_it_can_carry_and_waits_until_it_can(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display()
        line, may = Scripted(), False
        dispatcher.up(device.id, line, "wifi 10.0.0.9", may_take=lambda command: may)
        command = await site.qr(device)
        await asyncio.sleep(0.02)
        assert await site.state(command) is State.QUEUED
        may = True
        dispatcher.wake(device.id)
        await site.ends_as(command, State.SUCCEEDED)


async def test_the_best_link_is_the_one_that_is_told_of(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display()
        wifi, cable = Scripted(), Scripted()
        dispatcher.up(device.id, wifi, "wifi 10.0.0.9")
        assert dispatcher.links == {device.id: "wifi 10.0.0.9"}
        dispatcher.up(device.id, cable, "serial /dev/ttyUSB0 @115200")
        assert dispatcher.links == {device.id: "serial /dev/ttyUSB0 @115200"}
        dispatcher.down(device.id, cable)
        assert dispatcher.links == {device.id: "wifi 10.0.0.9"}
        dispatcher.down(device.id)
        assert dispatcher.links == {}


async def test_a_word_that_came_another_way_is_no_fault_of_the_link(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with queue_site(tmp_path) as site, dispatching(site) as dispatcher:
        device = await site.display(profile="nic-display")
        command = await site.commands.accept(device, "reboot", {}, actor="ann")
        line = Scripted(UNKNOWN, hold=True)
        dispatcher.up(device.id, line, "serial")
        await line.asked()
        sent = await site.commands.get(command.id)
        await site.commands.evidence(sent, Outcome(verdict=Verdict.DONE))
        line.answer()
        last = await site.qr(device)
        await site.ends_as(last, State.SUCCEEDED)
        assert await site.state(command) is State.SUCCEEDED
        assert "could not be handed out" not in caplog.text
