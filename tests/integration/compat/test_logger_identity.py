"""Which old asset logger speaks: taken in, told apart, moved, replaced, forgotten."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT

import pytest

from edge.devices.model import PENDING_PER_ADDRESS
from edge.sim.old_logger import PATCHED, ROOT
from edge.sim.vending_http import request
from tests.integration.compat.old_loggers import device, told, value
from tests.integration.running_hub import until


async def test_a_patched_logger_that_nobody_approved_does_not_start_anew(strict):
    logger = strict.logger()
    logger.run(13)
    await strict.on(logger, pages=False)
    await strict.passes(620)
    assert logger.starts == 1
    assert {code for _, code in logger.answers} == {200}
    waiting = device(strict)
    assert not waiting.approved
    assert waiting.facts["fw"] == "1.1.0"
    assert strict.hub.telemetry.telemetry.latest(waiting.id) == {}


async def test_what_it_said_before_it_was_approved_still_holds(strict):
    logger = strict.logger()
    logger.run(13)
    await strict.on(logger, pages=False)
    await strict.passes(60)
    logger.run(14)
    await strict.passes(60)
    await strict.hub.registry.approve(device(strict), actor="tess")
    await strict.passes(2)
    assert (value(strict, "pin_13"), value(strict, "pin_14")) == (True, True)


@pytest.mark.parametrize("first", ["heartbeat", "state"])
async def test_a_hub_that_lost_its_database_takes_its_loggers_in_again(hall, first):
    logger = hall.logger()
    hall.loggers.append(logger)
    logger.registered = logger.connected = True  # with the hub of before
    logger.uptime_s = 4000 + 10 * (first == "heartbeat")
    if first == "state":
        logger.run(25)
    await hall.passes(70)
    assert logger.starts == 0
    assert device(hall).kind == "logger"
    assert value(hall, "pin_25") is (True if first == "state" else None)
    assert value(hall, "alive") in range(4000, 4100)


async def test_two_loggers_with_one_id_are_two(hall):
    one, other = hall.logger(ROOT, address="127.0.0.2"), hall.logger(PATCHED, address="127.0.0.3")
    one.run(4)
    other.run(25)
    await hall.on(one)
    await hall.on(other)
    await hall.passes(10)
    assert value(hall, "pin_4") is True
    assert value(hall, "pin_25", "ESP32_001 (2)") is True
    assert value(hall, "pin_13") is None
    [problem] = hall.hub.loggers.problems()
    assert "2 asset loggers call themselves ESP32_001" in problem
    assert "127.0.0.2" in problem
    notes = [line.text for line in (await hall.hub.device_log.search(contains="another logger", limit=50))[0]]
    assert len(notes) == 2


async def test_two_alike_with_one_id_are_told_apart_once_both_speak(hall):
    one, other = hall.logger(address="127.0.0.2"), hall.logger(address="127.0.0.3")
    one.run(13)
    other.run(14)
    await hall.on(one, pages=False)
    await hall.passes(40)
    began_us = hall.clock.at_us
    await hall.on(other, pages=False)
    await hall.passes(10)
    assert value(hall, "pin_14") is None  # it may be either
    await hall.passes(30)
    assert value(hall, "pin_14", "ESP32_001 (2)") is True
    assert value(hall, "pin_13", "ESP32_001 (2)") is None
    [(at_us, _)] = await told(hall, "pin_14", "ESP32_001 (2)")
    assert at_us == began_us + 1_000_000  # with the time at which it was said
    assert (other.starts, {code for _, code in other.answers}) == (1, {200})


async def test_a_logger_that_got_another_address_is_still_one(hall):
    logger = hall.logger(address="127.0.0.2")
    logger.run(13)
    await hall.on(logger, pages=False)
    await hall.passes(100)
    await hall.off(logger)
    logger.run(13, runs=False)
    logger.run(14)
    logger.source = "127.0.0.9"
    await hall.passes(10)
    moved_us = hall.clock.at_us
    await hall.on(logger, pages=False)
    await hall.passes(120)
    assert hall.hub.registry.by_alias("assets", "ESP32_001 (2)") is None
    assert hall.hub.loggers.problems() == []
    assert (value(hall, "pin_13"), value(hall, "pin_14")) == (False, True)
    assert (moved_us, 0) in await told(hall, "alive")
    assert (await told(hall, "pin_13"))[-1] == (moved_us + 5_000_000, False)
    assert device(hall).facts["address"] == "127.0.0.9"


async def test_two_behind_one_address_are_not_mixed_up(hall):
    one, other = hall.logger(ROOT), hall.logger(PATCHED)
    await hall.on(one, pages=False)
    await hall.on(other, pages=False)
    await hall.passes(60)
    other.run(25)
    await hall.passes(60)
    assert {code for _, code in one.answers} | {code for _, code in other.answers} == {200}
    assert any("none of them is kept" in problem for problem in hall.hub.loggers.problems())
    assert value(hall, "pin_25") is None


async def test_a_board_that_was_replaced_goes_on_as_the_old_one(strict):
    old, new = strict.logger(ROOT, address="127.0.0.2"), strict.logger(PATCHED, address="127.0.0.3")
    await strict.on(old, pages=False)
    first = await strict.hub.registry.approve(device(strict), actor="tess")
    await strict.passes(10)
    await strict.off(old)
    new.run(25)
    await strict.on(new, pages=False)
    await strict.passes(10)
    await strict.hub.registry.join(device(strict, "ESP32_001 (2)"), first, actor="tess")
    assert strict.hub.loggers.problems() == []
    new.run(26)
    await strict.passes(40)
    assert device(strict, "ESP32_001 (2)").id == first.id
    assert value(strict, "pin_26") is True
    assert device(strict).facts["address"] == "127.0.0.3"


async def test_one_that_was_forgotten_waits_anew(strict):
    logger = strict.logger()
    await strict.on(logger, pages=False)
    await strict.hub.registry.approve(device(strict), actor="tess")
    await strict.passes(10)
    await strict.hub.forget(device(strict), "tess")
    await strict.passes(60)
    assert not device(strict).approved
    assert logger.starts == 1


async def test_a_flood_of_unknown_loggers_is_bounded_and_answered(strict):
    bodies = [f'{{"logger_id":"L{number}","pin_number":4,"is_running":true}}'.encode() for number in range(150)]
    answers = [(await request("POST", strict.base + "/api/asset-state", body)).code for body in bodies]
    assert answers == [200] * 150
    assert len(strict.hub.registry.all()) == PENDING_PER_ADDRESS
    why = [knock.why for knock in strict.hub.knocking.views()]
    assert why == ["L149 says too much; not all of it is kept."]


async def test_the_sim_is_such_a_logger(strict):
    command = [sys.executable, "-m", "edge.cli", "sim", "old-logger", "--hub", strict.base]
    sim = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    assert sim.stdout is not None
    try:
        assert await sim.stdout.readline() == b"ready sim ESP32_001\n"
        await sim.stdout.readuntil(b"the machine at pin 13 runs\n")

        async def is_there() -> bool:
            return strict.hub.registry.by_alias("assets", "ESP32_001") is not None

        await until(is_there)
    finally:
        sim.terminate()
        await sim.communicate()
