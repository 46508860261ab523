"""The older asset loggers, unmodified, against a real hub: their sketches in time that is moved by hand."""

from __future__ import annotations

import contextlib
import itertools
import random

import pytest

from edge.assets.model import State
from edge.clock import ManualClock, Quality, iso
from edge.errors import StorageFull
from edge.parts.asset_readings import Loggers
from edge.sim.old_logger import ROOT
from edge.sim.vending_http import request
from edge.wire.assets import NewAsset
from tests.integration.compat.old_loggers import device, hall_at, told, value


async def test_a_start_says_which_machines_run_and_which_stand(hall):
    logger = hall.logger()
    logger.run(13)
    await hall.on(logger)
    await hall.passes(10)
    assert value(hall, "pin_13") is True
    assert [value(hall, f"pin_{pin}") for pin in (14, 25, 26, 27)] == [False] * 4  # its page lists five
    assert value(hall, "pin_32") is None  # nobody has heard of it
    assert logger.answers == {("register", 200): 1, ("state", 200): 1}
    await hall.passes(600)
    assert logger.starts == 1
    assert logger.answers["heartbeat", 200] == 20
    assert hall.hub.presences.online(device(hall))


async def test_a_machine_that_stopped_while_its_logger_was_off_does_not_run_on(hall):
    logger = hall.logger()
    logger.run(25)
    await hall.on(logger, pages=False)
    await hall.passes(100)
    await hall.off(logger)
    logger.run(25, runs=False)
    await hall.passes(20)
    await hall.on(logger, pages=False)
    assert value(hall, "alive") == 0
    assert value(hall, "pin_25") is True
    await hall.passes(6)
    assert value(hall, "pin_25") is False
    notes = [line.text for line in (await hall.hub.device_log.search(limit=50))[0]]
    assert "stopped, since its start told nothing of them: pin_25" in notes


async def test_a_start_right_after_a_start_is_told_too(hall):
    logger = hall.logger()
    logger.run(25)
    await hall.on(logger, pages=False)
    await hall.passes(3)
    await hall.off(logger)
    await hall.on(logger, pages=False)
    said = [value for _, value in await told(hall, "alive")]
    assert said == [0, -1]
    await hall.passes(40)
    assert value(hall, "alive") >= 30


async def test_its_own_time_counts_where_it_agrees_with_the_hubs(hall):
    lags, fast, lost = hall.logger(off_s=-3), hall.logger(off_s=-1_209_600), hall.logger(ntp=False)
    for number, logger in enumerate((lags, fast, lost)):
        logger.logger_id = f"L{number}"
        await hall.on(logger, pages=False)
    await hall.passes(20)
    for logger in (lags, fast, lost):
        logger.run(13)
    await hall.passes(1)
    now_us = hall.clock.at_us
    [(lagged_us, _)] = await told(hall, "pin_13", "L0")
    assert lagged_us == (now_us - 3_000_000) // 1_000_000 * 1_000_000
    for alias in ("L1", "L2"):
        [(at_us, _)] = await told(hall, "pin_13", alias)
        assert at_us == now_us
    assert value(hall, "clock_off_s", "L0") == pytest.approx(-3, abs=0.6)
    assert value(hall, "clock_off_s", "L1") == pytest.approx(-1_209_600, abs=0.6)
    assert value(hall, "clock_off_s", "L2") < -1e9


async def test_an_input_that_is_wired_and_has_told_nothing_is_stopped(hall):
    logger = hall.logger()
    await hall.on(logger, pages=False)
    await hall.passes(60)
    wanted = NewAsset(name="Press", device=device(hall).id, input="pin_32", at=iso(hall.clock.at_us))
    await hall.hub.assets.assets.add(wanted, actor="tess")
    await hall.passes(2)
    assert value(hall, "pin_32") is False
    assert value(hall, "pin_33") is None
    logger.run(33)
    await hall.passes(1)
    [one] = [one for one in hall.hub.assets.assets.all() if not one.named]
    assert (one.wired.input, one.asset.silent_s) == ("pin_33", 100)


async def test_a_storm_of_changes_costs_a_few_readings(hall):
    logger = hall.logger()
    await hall.on(logger, pages=False)
    await hall.passes(10)
    for turn in range(120):
        logger.run(26, runs=turn % 2 == 0)
        await hall.passes(1)
    logger.run(26)
    await hall.passes(1)
    assert value(hall, "pin_26") == "unknown"
    assert any("pin_26 chatters" in problem for problem in hall.hub.loggers.problems())
    await hall.passes(61)
    states = await told(hall, "pin_26")
    assert len(states) == 32
    assert states[-1][1] is True
    assert value(hall, "bounces_pin_26") == 91
    assert hall.hub.loggers.problems() == []


async def test_changes_that_got_lost_show_on_its_own_page(hall):
    logger = hall.logger()
    logger.run(13)
    await hall.on(logger)
    await hall.passes(100)
    logger.cut_off = True
    logger.run(13, runs=False)
    await hall.passes(80)
    logger.cut_off = False
    await hall.passes(30)
    assert value(hall, "pin_13") is False


async def test_a_change_lost_in_between_shows_within_minutes(hall):
    logger = hall.logger()
    await hall.on(logger)
    await hall.passes(10)
    logger.run(14)
    logger.cut_off = True
    await hall.passes(1)
    logger.cut_off = False
    await hall.passes(301)
    assert value(hall, "pin_14") is True


async def test_a_running_machine_is_known_again_after_the_hubs_clock_was_set_back(hall):
    logger = hall.logger()
    logger.run(13)
    await hall.on(logger)
    await hall.passes(100)
    asset = hall.hub.assets.assets.by_input(device(hall).id, "pin_13")

    watch = hall.hub.assets.watch

    async def passes(seconds):
        for _ in range(seconds // 10):
            await hall.passes(10)
            await watch.catch_up()
        band = watch.standing(asset.id).band
        return State.UNKNOWN if band is None else band.state

    assert await passes(10) is State.RUNNING
    hall.clock.at_us -= 1_800_000_000
    assert State.UNKNOWN in [await passes(10) for _ in range(10)]
    assert await passes(300) is State.RUNNING
    assert logger.starts == 1


async def test_true_is_no_number_of_a_heartbeat(hall):
    await hall.on(hall.logger(), pages=False)
    await hall.passes(2)
    await hall.hub.telemetry.telemetry.ingest(device(hall), {"noted": True})
    hall.clock.advance(600)
    beat = b'{"logger_id":"ESP32_001","uptime":602,"wifi_rssi":true,"free_heap":5000}'
    assert (await request("POST", hall.base + "/api/device/heartbeat", beat)).code == 200
    assert (value(hall, "wifi_rssi"), value(hall, "free_heap")) == (None, 5000)
    loggers = Loggers(hall.hub.registry, hall.hub.telemetry.telemetry)
    keys = ("pin_7", "noted", "wifi_rssi", "pin_x")
    assert [loggers.may_be_input(device(hall).id, key) for key in keys] == [True, False, False, False]


async def test_a_logger_whose_start_nobody_heard_is_followed_by_its_page(hall):
    """The first sketch gives no sign of life where its registration was not answered."""
    logger = hall.logger(ROOT)
    logger.cut_off = True
    await hall.on(logger)
    logger.cut_off = False
    logger.run(4)
    await hall.passes(400)
    assert logger.answers == {("state", 200): 1}
    assert value(hall, "pin_4") is True
    alive = await told(hall, "alive")
    assert len(alive) >= 5
    assert max(later - at for (at, _), (later, _) in itertools.pairwise(alive)) < 100_000_000


async def test_the_hub_goes_on_with_a_logger_after_its_own_start(tmp_path):
    clock = ManualClock()
    async with hall_at(tmp_path, clock) as hall:
        logger = hall.logger()
        logger.run(13)
        await hall.on(logger)
        await hall.passes(100)
        await hall.off(logger)
    logger.run(13, runs=False)
    logger.run(14)
    for _ in range(20):
        await logger.turn()
    clock.advance(20)
    async with hall_at(tmp_path, clock) as hall:
        logger.server = hall.base
        await logger.serve(hall.hub.loggers.old.pages.port)
        hall.loggers.append(logger)
        await hall.passes(2)
        assert (value(hall, "pin_13"), value(hall, "pin_14")) == (False, True)
        await hall.passes(60)
        assert logger.starts == 1


async def test_a_hub_that_was_away_within_a_start_infers_nothing(tmp_path):
    clock = ManualClock()
    async with hall_at(tmp_path, clock) as hall:
        logger = hall.logger()
        logger.run(13)
        await hall.on(logger, pages=False)
        await hall.passes(40)
        await hall.off(logger)
        await hall.on(logger, pages=False)
        hall.loggers.clear()
    await logger.turn()  # 13 runs, and nobody hears it
    clock.advance(1)
    async with hall_at(tmp_path, clock) as hall:
        logger.server = hall.base
        hall.loggers.append(logger)
        await hall.passes(40)
        assert [state for _, state in await told(hall, "pin_13")] == [True]  # of before: unknown since
        await logger.serve(hall.hub.loggers.old.pages.port)
        await hall.passes(70)
        assert [state for _, state in await told(hall, "pin_13")] == [True, True]


async def test_answers_are_what_a_logger_reads(hall):
    for path in ("/api/device/heartbeat", "/api/asset-state"):
        for body, code in ((b'{"uptime":3}', 400), (b"{", 400), (b'{"logger_id":"L9","pin_number":"x"}', 200)):
            assert (await request("POST", hall.base + path, body)).code == code
        large = b'{"logger_id":"L9","uptime":' + b"9" * 400 + b',"free_heap":1e999,"pin_number":[],"is_running":{}}'
        assert (await request("POST", hall.base + path, large)).code in (200, 400)
        assert (await request("POST", hall.base + "/" + path, b'{"logger_id":"L9"}')).code == 200
    reply = await request("POST", hall.base + "//api/device/register", b'{"logger_id":"L9","logger_name":"Nine"}')
    assert reply.code == 200
    assert f'"id":"{device(hall, "L9").id}"' in reply.body


async def test_words_for_states_are_kept(hall):
    for state in ("RUNNING", "maintenance", "STOPPED"):
        body = f'{{"logger_id":"L1","pin_number":"7","state":"{state}"}}'.encode()
        assert (await request("POST", hall.base + "/api/asset-state", body)).code == 200
        hall.clock.advance(1)
    assert [state for _, state in await told(hall, "pin_7", "L1")] == [True, "MAINTENANCE", False]


async def test_a_full_disk_keeps_a_logger_alive_and_owes_its_state(hall, monkeypatch):
    logger = hall.logger()
    await hall.on(logger, pages=False)
    await hall.passes(10)

    def full() -> None:
        raise StorageFull("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(hall.hub.store.space, "require", full)
        logger.run(13)
        with contextlib.suppress(StorageFull):
            await hall.passes(1)
        for _ in range(60):
            hall.clock.advance(1)
            await logger.turn()
        assert logger.answers["state", 507] == 1
        assert logger.answers["heartbeat", 200] == 2
    await hall.passes(1)
    assert value(hall, "pin_13") is True
    assert logger.starts == 1


async def test_an_unset_clock_of_the_hub_judges_no_loggers(tmp_path):
    clock = ManualClock(at_us=1_000_000_000_000_000, quality=Quality.NONE)
    async with hall_at(tmp_path, clock) as hall:
        hall.drift_s = -14 * 86_400
        logger = hall.logger()
        logger.run(13)
        await hall.on(logger)
        await hall.passes(10)
        assert value(hall, "pin_13") is True
        assert value(hall, "clock_off_s") is None


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_happens_the_hub_knows_what_the_logger_sees(hall, seed):
    """Machines, power and the network come and go as they like; its page is always within reach."""
    chance, logger = random.Random(seed), hall.logger()
    await hall.on(logger)
    for _ in range(40):
        event = chance.choice(["machine", "machine", "machine", "power", "network"])
        if event == "machine":
            logger.run(chance.choice(logger.sketch.pins[:5]), runs=chance.random() < 0.5)
        elif event == "power":
            await hall.off(logger)
            logger.run(chance.choice(logger.sketch.pins[:5]), runs=chance.random() < 0.5)
            await hall.passes(chance.randint(1, 120))
            await hall.on(logger)
            await hall.passes(7)
        else:
            logger.cut_off = True
            await hall.passes(chance.randint(1, 20))
            logger.cut_off = False
            await hall.passes(301)
        await hall.passes(chance.randint(1, 40))
        known = {pin: value(hall, f"pin_{pin}") for pin in logger.sketch.pins[:5]}
        seen = {pin: logger.running[pin] for pin, state in known.items() if state is not None}
        assert {pin: known[pin] for pin in seen} == seen
        assert len(seen) == 5 or logger.starts == 1
