"""The vending machine: a motor turns once for a command or not at all, wherever the power goes."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from edge.sim.uart import UartLine
from edge.wire.cable import Report
from edge.wire.orders import Verdict
from tests.firmware.board import until
from tests.firmware.machine import FAST, MOTOR_MS, Machine, vend
from tests.firmware.pictures import order
from tests.tools import share


async def test_a_vend_turns_its_motor_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with UartLine() as line:
        machine = Machine(tmp_path, line, **FAST)
        await machine.boot()
        session = await machine.connect()
        assert session.hello.kind == "vending"
        outcome = await session.deliver(vend(1))
        assert (outcome.verdict, outcome.evidence) == (Verdict.DONE, "")
        assert outcome.duration_s > MOTOR_MS / 1000
        repeated = await session.deliver(vend(1))
        assert (repeated.verdict, repeated.repeated) == (Verdict.DONE, True)
        await session.close()
        await machine.cut_power()
        await machine.boot()
        assert (await machine.deliver(vend(1))).repeated
        assert machine.turns() == [3]
        await machine.cut_power()


@pytest.mark.parametrize("slot", [0, 6, -1, True, "3", 2.0, None])
async def test_a_slot_it_does_not_have_is_refused(machine: Machine, slot: object) -> None:
    outcome = await machine.deliver(vend(1, slot))
    assert outcome.verdict is Verdict.FAILED
    assert "arguments" in outcome.reason
    assert machine.turns() == []


async def test_a_vend_that_comes_too_late_turns_nothing(machine: Machine) -> None:
    session = await machine.connect()
    first = asyncio.create_task(session.deliver(vend(1)))
    await until(lambda: machine.turns() == [3])
    late = await session.deliver(vend(2, ttl_ms=50))
    assert (await first).verdict is Verdict.DONE
    assert late.verdict in (Verdict.FAILED, Verdict.NOT_SENT)
    assert machine.turns() == [3]
    await session.close()


async def test_it_says_what_it_has_and_how_often_each_motor_was_started(machine: Machine) -> None:
    session = await machine.connect()
    for seq, slot in ((1, 2), (2, 2), (3, 5)):
        assert (await session.deliver(vend(seq, slot))).verdict is Verdict.DONE
    assert (await session.deliver(order(4, "machine_status"))).verdict is Verdict.DONE

    def told() -> list[dict[str, object]]:
        reports = [event for event in machine.events if isinstance(event, Report)]
        return [report.health for report in reports if report.health["commands_done"] == 4]

    await until(lambda: bool(told()))
    health = told()[0]
    assert [health[f"turns_{slot}"] for slot in range(1, 6)] == [0, 2, 0, 0, 1]
    assert (health["slots"], health["drop_sensor"], health["boot"]) == (5, False, 1)
    await session.close()


async def test_a_reboot_is_answered_before_it_happens(machine: Machine) -> None:
    session = await machine.connect()
    assert (await session.deliver(order(1, "reboot"))).verdict is Verdict.DONE
    assert await machine.exit_code() == 0
    await session.close()


# With a drop sensor


async def test_with_a_sensor_done_means_that_something_fell(seeing: Machine) -> None:
    session = await seeing.connect()
    outcome = await session.deliver(vend(1))
    assert (outcome.verdict, outcome.evidence) == (Verdict.DONE, "sensor")
    seeing.jam()
    jammed = await session.deliver(vend(2))
    assert jammed.verdict is Verdict.FAILED
    assert "saw nothing fall" in jammed.reason
    seeing.jam(False)
    seeing.block()
    blocked = await session.deliver(vend(3))
    assert blocked.verdict is Verdict.FAILED
    assert "in front of the drop sensor" in blocked.reason
    assert seeing.turns() == [3, 3]
    await session.close()


# Where the power goes


@pytest.mark.parametrize(
    ("sensor", "point", "verdict", "turns"),
    [
        (False, "before:claim", Verdict.DONE, 1),  # it never was, so it is done now
        (False, "after:claim", Verdict.FAILED, 0),
        (False, "before:motor", Verdict.FAILED, 0),
        (False, "after:motor", Verdict.IN_DOUBT, 0),
        (False, "turning", Verdict.IN_DOUBT, 1),
        (False, "before:result", Verdict.IN_DOUBT, 1),
        (False, "after:result", Verdict.DONE, 1),
        (True, "turning", Verdict.IN_DOUBT, 1),
        (True, "before:result", Verdict.DONE, 1),  # that it fell is on flash already
        (True, "after:result", Verdict.DONE, 1),
    ],
)
async def test_a_power_cut_at_each_step(
    tmp_path: Path, sensor: bool, point: str, verdict: Verdict, turns: int
) -> None:
    """After it nothing turns by itself, and the command asked for again gets the one true answer."""
    async with UartLine() as line:
        machine = Machine(tmp_path, line, **FAST, drop_pin=4 if sensor else -1)
        await machine.boot(point)
        session = await machine.connect()
        attempt = asyncio.create_task(session.deliver(vend(1, ttl_ms=5000)))
        await machine.halted()
        await machine.cut_power()
        await machine.boot()
        assert (await attempt).verdict is Verdict.UNKNOWN
        await session.close()
        for _ in range(2):
            outcome = await machine.deliver(vend(1))
            assert outcome.verdict is verdict
            assert outcome.evidence == ("sensor" if sensor and verdict is Verdict.DONE else "")
            assert machine.turns() == [3] * turns
        if verdict is Verdict.FAILED:
            assert "nothing moved" in outcome.reason
        assert (await machine.deliver(vend(2, 1))).verdict is Verdict.DONE
        assert machine.turns() == [3] * turns + [1]
        await machine.cut_power()


@pytest.mark.parametrize("sensor", [False, True])
async def test_killed_at_random_moments_it_never_turns_twice(tmp_path: Path, sensor: bool) -> None:
    """Each vend is asked for until its answer comes; the answer agrees with the motor."""
    luck = random.Random(7)
    rounds = share(6, 60)
    async with UartLine() as line:
        machine = Machine(tmp_path, line, **(FAST | {"motor_ms": 50}), drop_pin=4 if sensor else -1)
        await machine.boot()
        for seq in range(1, rounds + 1):
            slot = seq % 5 + 1
            before = len(machine.turns())
            session = await machine.connect()
            attempt = asyncio.create_task(session.deliver(vend(seq, slot, ttl_ms=10_000)))
            await asyncio.sleep(luck.uniform(0, 0.12))
            await machine.cut_power()
            await machine.boot()
            await attempt
            await session.close()
            outcome = await machine.deliver(vend(seq, slot))
            turned = machine.turns()[before:]
            assert turned in ([], [slot])
            if outcome.verdict is not Verdict.IN_DOUBT:
                assert (outcome.verdict is Verdict.DONE) is bool(turned)
        await machine.cut_power()


@pytest.fixture
async def machine(tmp_path: Path):  # type: ignore[no-untyped-def]  # a machine without a sensor, booted
    async with UartLine() as line:
        machine = Machine(tmp_path, line, **FAST)
        await machine.boot()
        yield machine
        await machine.cut_power()


@pytest.fixture
async def seeing(tmp_path: Path):  # type: ignore[no-untyped-def]  # a machine with a drop sensor, booted
    async with UartLine() as line:
        machine = Machine(tmp_path, line, **FAST, drop_pin=4)
        await machine.boot()
        yield machine
        await machine.cut_power()
