"""Run by the board's own Python: a logger on a bench where time passes when it is told to. Prints what came of each
scenario as one object in JSON, by name.
"""

import json
import os
import sys

sys.path.insert(0, sys.argv[1])

from outpost.port import Port
from ports.unix_oled import PngOled
from variants.logger.app import Logger
from variants.logger.lock import Lock

ROUND_MS = 50
NOW_US = 1795249800 * 1000000  # 2026-11-21T08:30:00Z
FOLDER = sys.argv[2]
KEYS = ("in1", "in2", "in3")


class Bench(Port):
    """Contacts that say what they are told to."""

    chip = "A0B1C2D3E4F5"

    def __init__(self, name, **settings):
        self.files = FOLDER + "/" + name
        os.mkdir(self.files)  # noqa: PTH102
        settings = dict(run_pins=[13, 14, 25], oled_sda=-1, page_port=0, **settings)
        self.values = {"config": json.dumps(settings).encode()}
        self.levels = {}
        self.pins = {}
        self.passed = 0
        self.png = ""

    def passed_ms(self):
        passed, self.passed = self.passed, 0
        return passed

    def load(self, key):
        return self.values.get(key)

    def save(self, key, value):
        self.values[key] = value

    def random(self, count):
        return b"\x5a" * count

    def heap_free(self):
        return 0

    def take_inputs(self, pins):
        self.pins = pins
        for key in pins:
            self.levels.setdefault(key, bool(pins[key][1]))

    def read_inputs(self):
        return self.levels

    def oled(self, sda, scl, address):
        return PngOled(self.png)


def later(bench, logger, ms, step=ROUND_MS):
    for _ in range(ms // step):
        bench.passed += step
        logger.tick()


def records(logger):
    """[ms, UTC in us, values] of each that is left, as a hub would get them."""
    found = []
    while True:
        first, _, payloads = logger._buffer.batch(500, 1 << 20)
        if not payloads:
            return found
        found += [json.loads(payload)[1:] for payload in payloads]
        logger._buffer.acknowledge(first + len(payloads))


def started(name, **settings):
    bench = Bench(name, **settings)
    logger = Logger(bench)
    later(bench, logger, 1000)
    return bench, logger


# Each gives what the test wants to see


def first_statement():
    bench = Bench("first", run_levels=[0, 1], run_names=["Press", "Saw"])
    bench.levels = {"in1": False, "in2": False, "in3": True}
    logger = Logger(bench)
    for _ in range(9):  # one of them is not still yet, and nothing is told of any
        bench.levels["in2"] = not bench.levels["in2"]
        later(bench, logger, ROUND_MS)
    early = len(records(logger))
    later(bench, logger, 1000)
    return {"early": early, "records": records(logger), "pulled": bench.pins, "events": len(logger.runs.events)}


def a_bouncing_change():
    bench, logger = started("bouncing")
    bench.levels["in1"] = False
    later(bench, logger, 10, 10)
    for level in (True, False, True, True, False):
        bench.levels["in1"] = level
        later(bench, logger, 10, 10)
    later(bench, logger, 500, 10)
    bench.levels["in2"] = False  # a knock, too short to count
    later(bench, logger, 30, 10)
    bench.levels["in2"] = True
    later(bench, logger, 500, 10)
    return {"records": records(logger)[1:], "report": logger.report()}


def times_are_the_hubs():
    bench, logger = started("times")
    bench.levels["in1"] = False
    later(bench, logger, 1000)
    logger._clock.learn(NOW_US)
    bench.levels["in1"] = True
    later(bench, logger, 1000)
    return {"records": records(logger)}


def heartbeats():
    bench, logger = started("heartbeats", heartbeat_s=60)
    later(bench, logger, 21 * 60000, 250)
    return {"records": records(logger)}


def a_statement_in_the_middle_of_a_change():
    bench, logger = started("middle", heartbeat_s=10, debounce_ms=2000)
    later(bench, logger, 101000)  # the tenth heartbeat is due in less than two seconds
    bench.levels["in1"] = False
    later(bench, logger, 20000)
    return {"records": records(logger)}


def a_slow_storm():
    bench, logger = started("slow", heartbeat_s=10)
    for _ in range(150):
        bench.levels["in1"] = not bench.levels["in1"]
        later(bench, logger, 200)
    bench.levels["in1"] = False
    during = logger.runs.inputs[0].state
    later(bench, logger, 50000)
    almost = logger.runs.inputs[0].state
    later(bench, logger, 100000)
    return {"records": records(logger), "during": during, "almost": almost, "report": logger.report()}


def a_fast_storm():
    bench, logger = started("fast", heartbeat_s=3600)
    began = logger._clock.ms()
    for _ in range(600):
        bench.levels["in2"] = not bench.levels["in2"]
        later(bench, logger, ROUND_MS)
    later(bench, logger, 100000)
    return {"records": records(logger)[1:], "began": began, "report": logger.report()}


def a_storm_and_then_knocks():
    """Short ones, of the kind that debouncing leaves out, go on for ever."""
    bench, logger = started("knocks", heartbeat_s=3600)
    for _ in range(100):
        bench.levels["in1"] = not bench.levels["in1"]
        later(bench, logger, 200)
    for _ in range(20):
        later(bench, logger, 5000)
        for _ in range(2):
            bench.levels["in1"] = not bench.levels["in1"]
            later(bench, logger, 30, 30)
    return {"records": records(logger)}


def a_storm_from_the_start():
    bench = Bench("always", heartbeat_s=3600)
    logger = Logger(bench)
    for _ in range(400):
        bench.levels["in3"] = not bench.levels["in3"]
        later(bench, logger, ROUND_MS)
    return {"records": records(logger)}


def a_machine_in_short_cycles():
    """Four seconds on, four off, for ten minutes: that is no storm."""
    bench, logger = started("cycles", heartbeat_s=3600)
    for _ in range(150):
        bench.levels["in1"] = not bench.levels["in1"]
        later(bench, logger, 4000, 200)
    return {"states": [values.get("in1") for _, _, values in records(logger)[1:]]}


def anything():
    """Contacts that do as they like, for nine minutes."""
    luck = 12345
    bench, logger = started("anything", heartbeat_s=10, buffer_kb=1024)
    for i in range(9 * 60 * 20):
        luck = (luck * 1103515245 + 12345) & 0x7FFFFFFF
        likely = (3, 40, 400)[(i // 1800) % 3]  # a minute and a half of each, twice
        if (luck >> 8) % likely == 0:
            key = KEYS[(luck >> 20) % 3]
            bench.levels[key] = not bench.levels[key]
        later(bench, logger, ROUND_MS)
    later(bench, logger, 200000)
    return {"records": records(logger), "levels": bench.levels}


def a_full_buffer():
    bench, logger = started("full", heartbeat_s=10, buffer_kb=32)
    for i in range(1000):
        bench.levels[KEYS[i % 3]] = i % 2 == 0
        later(bench, logger, 5000, 500)
    lost = logger._buffer.lost
    return {"lost": lost, "records": records(logger)}


def no_room_at_all():
    """Flash refuses a change: it is stated with the next heartbeat, and no more often than that."""
    bench, logger = started("no_room", heartbeat_s=10)
    append = logger._buffer._write

    def refuse(seq, record):
        raise OSError(5)

    logger._buffer._write = refuse
    bench.levels["in1"] = False
    later(bench, logger, 1000)
    lost = logger._buffer.lost
    later(bench, logger, 30000)
    still = logger._buffer.lost
    logger._buffer._write = append
    later(bench, logger, 20000)
    return {"lost": lost, "still": still, "records": records(logger)}


def odd_wiring():
    bench = Bench("odd")
    odd = {"run_pins": [13, 1, 13, "x", 99, -1, 34, 22, 5], "run_levels": [1, 0, 0, 0, 0, 0, 7], "oled_sda": 21}
    bench.values["config"] = json.dumps(odd).encode()
    logger = Logger(bench)
    said = []
    while True:
        line = logger._log.take()
        if line is None:
            break
        said.append(line["text"])
    return {"pins": bench.pins, "said": said, "oled": logger._display is not None}


def the_screen():
    """Eight inputs on the small screen, and then four."""
    made = []
    names = ["Press", "Lathe 2", "Saw", "Oven", "Mixer", "<b>", "Fan", "Pump"]
    for name, pins in (("eight", [13, 14, 25, 26, 27, 32, 33, 4]), ("four", [13, 14, 25, 26])):
        bench = Bench("screen_" + name)
        settings = {"run_pins": pins, "run_names": names, "name": "Hall 3", "page_code": "482913"}
        bench.values["config"] = json.dumps(settings).encode()
        bench.png = FOLDER + "/" + name + ".png"
        bench.levels = {"in1": False, "in3": False, "in6": False}
        logger = Logger(bench)
        later(bench, logger, 2000)
        made.append(logger._display.present)
        logger._clock.learn(NOW_US)
        bench.levels["in3"] = True
        later(bench, logger, 1000)
        bench.passed += 150000
        for _ in range(240):
            bench.levels["in4"] = not bench.levels["in4"]
            later(bench, logger, ROUND_MS)
        bench.passed += 30000
        later(bench, logger, 2000)
    return {"made": made}


def a_screen_that_goes():
    """Unplugged and plugged in again: told once, and drawn whole when it is back."""
    bench = Bench("gone")
    bench.png = FOLDER + "/gone.png"
    bench.values["config"] = json.dumps({"run_pins": [13], "page_port": 0, "run_names": ["Press"]}).encode()
    logger = Logger(bench)
    later(bench, logger, 2000)
    oled = logger._display._oled
    slices = oled.slices

    def gone(picture, bands):
        raise OSError(19)

    oled.slices = gone
    oled.start = lambda: gone(None, None)
    later(bench, logger, 65000)
    absent = not logger._display.present
    del oled.slices
    del oled.start
    drawn = []

    def counted(picture, bands):
        drawn.append(len(bands))
        return slices(picture, bands)

    oled.slices = counted
    later(bench, logger, 40000)
    return {
        "absent": absent,
        "drawn": drawn[0],
        "error": logger._log.last_error,
        "present": logger._display.present,
    }


def a_lock():
    bench, logger = started("lock")
    lock = Lock(logger._clock, "123456")
    waits = []
    for _ in range(12):
        opened = lock.opens("000000")
        assert not opened
        waits.append(lock.wait_s())
        assert not lock.opens("123456")
        bench.passed += lock.wait_s() * 1000
        logger._clock.ms()
    opened = lock.opens("123456")
    for _ in range(3):
        lock.opens("000000")
        bench.passed += 1000
        logger._clock.ms()
    lock.renew("654321")
    return {
        "waits": waits,
        "opened": opened,
        "renewed": lock.opens("654321"),
        "empty": Lock(logger._clock, "").opens(""),
    }


def the_console():
    bench, logger = started("console", page_code="111111", run_names=["Press"])
    said = logger._console.feed(b"status\rpage_code\r", 0)
    after = json.loads(bench.values["config"])["page_code"]
    said += logger._console.feed(b"page_code off\rpage_code x\rhelp\r", 0)
    return {"said": said, "after": after, "off": json.loads(bench.values["config"])["page_code"]}


SCENARIOS = (
    first_statement, a_bouncing_change, times_are_the_hubs, heartbeats, a_statement_in_the_middle_of_a_change,
    a_slow_storm, a_fast_storm,
    a_storm_and_then_knocks, a_storm_from_the_start, a_machine_in_short_cycles, anything, a_full_buffer,
    no_room_at_all, odd_wiring, the_screen, a_screen_that_goes, a_lock, the_console,
)  # fmt: skip
results = {}
for scenario in SCENARIOS:
    if len(sys.argv) < 4 or scenario.__name__ in sys.argv[3:]:
        results[scenario.__name__] = scenario()
print(json.dumps(results))
