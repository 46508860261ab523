"""Pages of commands gone by, against a plain list; and each try at one."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.commands.history import History
from edge.commands.model import Command
from edge.errors import DeviceUnavailable, NotFound, Rejected
from edge.wire.commands import State
from edge.wire.orders import Outcome, Verdict
from tests.unit.commands.queue_site import DONE, UNKNOWN, QueueSite, queue_site


async def lived(site: QueueSite) -> list[Command]:
    """Commands of two devices in several states, oldest first."""
    made: list[Command] = []
    for device in [await site.display("One", "nic-display"), await site.display("Two", "nic-display")]:
        for outcome in (DONE, Outcome(verdict=Verdict.FAILED), UNKNOWN, None):
            command = await site.commands.accept(device, "reboot", {}, actor="ann")
            begun = await site.commands.begin(command, "serial") if outcome else None
            made.append(await site.commands.settle(begun, outcome) if begun and outcome else command)
    return made


async def test_pages_hold_each_command_once_newest_first(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        made = await lived(site)
        history = History(site.store.hub)
        for device_id in ("", made[0].device_id):
            for states in ((), ("queued",), ("succeeded", "failed"), ("in_doubt",), ("in_doubt", "failed")):
                wanted = [
                    command.id
                    for command in reversed(made)
                    if device_id in ("", command.device_id) and (not states or command.state.value in states)
                ]
                found: list[str] = []
                before = None
                while page := await history.page(device_id=device_id, states=states, before=before, limit=2):
                    found += [command.id for command in page]
                    before = page[-1].number
                assert found == wanted


async def test_each_try_is_told_with_its_link_and_outcome(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        device = await site.display()
        command = await site.qr(device)
        for link, outcome in (("one", UNKNOWN), ("two", Outcome(verdict=Verdict.DONE, duration_s=1.5))):
            waiting = site.commands.next_for(device.id)
            assert waiting is not None
            begun = await site.commands.begin(waiting, link)
            assert begun is not None
            await site.commands.settle(begun, outcome)
        tries = await History(site.store.hub).attempts(command.id)
        assert [(a.attempt, a.link, a.verdict, a.duration_s) for a in tries] == [
            (1, "one", "unknown", None),
            (2, "two", "done", 1.5),
        ]
        assert await History(site.store.hub).attempts("cmd_none") == []
        with pytest.raises(NotFound):
            await site.commands.get("cmd_none")


async def test_a_retry_is_for_the_same_agent(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        device = await site.display("Old", "nic-display")
        session = await site.store.hub.write(
            lambda tx: (
                tx.execute(
                    "INSERT INTO agent_sessions(agent_id, agent_name, device_id, how, started_us, active_us)"
                    " VALUES ('24', 'Ann', ?, 'bound', 1, 1)",
                    (device.id,),
                ).lastrowid
            )
        )
        for _ in range(2):  # the second one stays in doubt
            command = await site.commands.accept(
                device, "display_qr", {"payload": "x"}, actor="ann", session_id=session, agent="Ann"
            )
            begun = await site.commands.begin(command, "serial")
            assert begun is not None
            command = await site.commands.settle(begun, Outcome(verdict=Verdict.IN_DOUBT))
            if command.state is State.QUEUED:
                begun = await site.commands.begin(command, "serial")
                assert begun is not None
                command = await site.commands.settle(begun, Outcome(verdict=Verdict.IN_DOUBT))
        again = await site.commands.retry(command, actor="tess")
        assert (again.session_id, again.agent) == (session, "Ann")
        site.commands.check_seats_with(lambda session_id, device_id: False)
        assert await site.commands.begin(again, "serial") is None
        assert await site.state(again) is State.CANCELLED


async def test_a_retry_reaches_no_device_that_is_not_approved(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        device = await site.registry.take_in("serial", "A4CF12000001", "native", facts={})
        assert device is not None
        device = await site.registry.approve(device, actor="tess")
        command = await site.commands.accept(device, "start_rotation", {}, actor="ann")
        await site.commands.cancel(command, "Cancelled by ann.")
        await site.registry.forget(device, actor="tess")
        again = await site.registry.take_in("serial", "A4CF12000001", "native", facts={})
        assert again is not None
        assert again.id == device.id
        assert not again.approved
        with pytest.raises(DeviceUnavailable):
            await site.commands.retry(await site.commands.get(command.id), actor="tess")


async def test_a_retry_does_not_lose_the_arguments(tmp_path: Path) -> None:
    async with queue_site(tmp_path) as site:
        device = await site.display()
        command = await site.commands.accept(device, "erase_picture", {"slot": 3}, actor="ann")
        ended = await site.commands.cancel(command, "Cancelled by ann.")
        with pytest.raises(Exception, match="erased"):
            await site.commands.retry(ended, actor="tess")
        with pytest.raises(Rejected):
            await site.commands.accept(device, "reboot", {"slot": 3}, actor="ann")
