"""Run by the board's own Python: updates on the bench. Prints what came of each scenario in JSON, by name."""

import gc
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, __file__.rsplit("/", 1)[0])

from update_bench import Bench, Hub, Slot, read_apps

APPS = read_apps(sys.argv[2])
OLD, NEW = APPS["old"], APPS["new"]
BLOCKS = 128  # of 4 KB: half a chip's, and the apps are smaller too


def fresh(images=0, blocks=BLOCKS, old=OLD):
    hub = Hub(APPS.values())
    bench = Bench(hub, blocks, images)
    bench.put("a", old)
    return bench, hub


def came(bench, hub, runs):
    """For CPython to look at."""
    name = [name for name in APPS if APPS[name].id == runs]
    bench.close()
    return {"runs": name[0], "steps": hub.steps, "reasons": hub.reasons, "asked": hub.asked}


def offered(name, **behaviour):
    bench, hub = fresh()
    for key in behaviour:
        setattr(hub, key, behaviour[key])
    hub.offers(APPS[name])
    return came(bench, hub, bench.run())


def broken(how):
    bench, hub = fresh()
    bench.broken[NEW.id] = how
    hub.offers(NEW)
    return came(bench, hub, bench.run())


def never_well():
    """The hub hears it, and does not say that all is well."""
    bench, hub = fresh()
    hub.well = False
    hub.offers(NEW)
    return came(bench, hub, bench.run())


def no_hub():
    """It runs, and finds no hub any more."""
    bench, hub = fresh()
    hub.offers(NEW)
    restart = bench.restart

    def gone():
        hub.there = False
        restart()

    bench.restart = gone
    bench.run()
    hub.there = True
    bench.restart = restart
    return came(bench, hub, bench.run())


def powerless(times):
    """The power goes while the new one is on trial."""
    bench, hub = fresh()
    hub.offers(NEW)
    left = [times]
    start = bench.start

    def cut():
        if hub.steps[-1:] == ["staged"] and left[0]:
            left[0] -= 1
            bench.mount()
            import outpost_boot

            outpost_boot.chosen(bench.nvs, "/board", "power")
            cut()
            return
        start()

    bench.start = cut
    return came(bench, hub, bench.run())


def again():
    """What failed is not tried again by itself, but told again; another attempt is tried."""
    bench, hub = fresh()
    bench.broken[NEW.id] = "import"
    hub.offers(NEW)
    bench.run()
    first = list(hub.steps)
    bench.broken = {}
    bench.run()
    second = list(hub.steps)
    hub.offers(NEW, attempt=2)
    result = came(bench, hub, bench.run())
    result["first"], result["second"] = first, second
    return result


def already():
    bench, hub = fresh()
    hub.offers(OLD)
    return came(bench, hub, bench.run())


def withdrawn():
    """In the middle of the download; then offered anew, and it goes on where it was."""
    bench, hub = fresh()
    hub.most = 100
    hub.offers(NEW)
    left = [5]

    def ask(fetch):
        left[0] -= 1
        if not left[0]:
            hub.offer = None

    hub.on_ask = ask
    bench.run()
    result = {"first": len(hub.asked), "steps_then": list(hub.steps)}
    hub.offers(NEW, attempt=2)
    result.update(came(bench, hub, bench.run()))
    return result


def replaced():
    """Another offer in the middle of one."""
    bench, hub = fresh()
    hub.most = 100
    hub.offers(NEW)

    def ask(fetch):
        if len(hub.asked) == 5:
            hub.offers(APPS["other"])

    hub.on_ask = ask
    return came(bench, hub, bench.run())


def delayed():
    bench, hub = fresh()
    hub.offers(NEW)
    bench.busy = "a motor turns"
    rounds = [0]

    class Busy:
        def __call__(self):
            rounds[0] += 1
            return "a motor turns" if rounds[0] < 400 else ""

    busy = Busy()
    import outpost.updates

    original = outpost.updates.Updates.__init__

    def init(self, port, clock, log, _, restart):
        original(self, port, clock, log, busy, restart)

    outpost.updates.Updates.__init__ = init
    try:
        return came(bench, hub, bench.run())
    finally:
        outpost.updates.Updates.__init__ = original


def full(blocks):
    """There is no room for both."""
    bench, hub = fresh(blocks=blocks)
    hub.offers(NEW)
    return came(bench, hub, bench.run())


def rotation():
    """An app signed by the old key brings the new one, and then the old one counts for nothing."""
    bench, hub = fresh()
    hub.offers(APPS["second_key"])
    first = bench.run()
    hub.offers(NEW)
    bench.run()
    hub.offers(APPS["by_second"])
    result = came(bench, hub, bench.run())
    result["first"] = first == APPS["second_key"].id
    return result


def there_and_back():
    """Many updates, one after the other, each into the folder of the one before the last."""
    bench, hub = fresh()
    runs = []
    for name in ("new", "other", "new", "old", "new"):
        hub.offers(APPS[name], attempt=len(runs) + 1)
        runs.append(bench.run() == APPS[name].id)
    result = came(bench, hub, NEW.id)
    result["all"] = runs
    return result


def damaged():
    """The confirmed app can't be loaded any more: the other is better than none."""
    bench, hub = fresh()
    hub.offers(NEW)
    bench.run()
    bench.broken[NEW.id] = "import"
    hub.offers(None)
    return came(bench, hub, bench.run())


def an_image(well=True):
    bench, hub = fresh(images=65536)
    hub.well = well
    hub.offers(APPS["image"])
    result = came(bench, hub, bench.run())
    result["running"], result["state"] = bench.images.running, bench.images.state
    result["whole"] = (
        bytes(bench.images.data["ota_1"][: APPS["image"].size]) == APPS["image"].given[APPS["image"].files["image"]]
    )
    return result


def an_older_image():
    """One of a lower security version is offered; then somebody puts another there over the cable."""
    bench, hub = fresh(images=65536)
    hub.offers(APPS["image"])
    bench.run()
    hub.offers(APPS["less_secure_image"])
    result = came(bench, hub, bench.run())
    hub.offers(None)
    said = []
    for bench.images.running in ("ota_1", "ota_0"):
        bench.run()
        said.append(bench.updates.running())
    result["named"] = [one["image"] == APPS["image"].id for one in said]
    result["security"] = [one["image_security"] for one in said]
    bench.close()
    return result


def an_image_cut_off_at_its_switch():
    """The power goes when all is noted and nothing is switched."""
    bench, hub = fresh(images=65536)
    activate = Slot.activate

    def cut(slot):
        Slot.activate = activate
        bench.power.cut = bench.power.at
        activate(slot)

    Slot.activate = cut
    hub.offers(APPS["image"])
    return came(bench, hub, bench.run())


def no_memory():
    """There is none for the updater, the first time."""
    import outpost.updater

    bench, hub = fresh()
    proved = outpost.updater.Update._proved

    def none(update):
        outpost.updater.Update._proved = proved
        return bytearray(1 << 28)

    outpost.updater.Update._proved = none
    hub.offers(NEW)
    bench.run()
    first = hub.reasons[-1]
    hub.offers(NEW, attempt=2)
    result = came(bench, hub, bench.run())
    result["first"] = first
    return result


def silent_hub():
    """The hub is gone when all is there: nothing is switched, since nobody could say that the new one is well."""
    bench, hub = fresh()
    hub.offers(NEW)
    left = [0]

    def ask(fetch):
        left[0] += 1
        if left[0] == 4:
            hub.there = False

    hub.on_ask = ask
    return came(bench, hub, bench.run())


def memory():
    """The most that an update had in use, above what was there before it was offered."""
    bench, hub = fresh()
    bench.run()
    gc.collect()
    before = gc.mem_alloc()
    most = [0]
    hub.offers(NEW)
    serve = hub.serve

    def measured(updates):
        gc.collect()
        most[0] = max(most[0], gc.mem_alloc() - before)
        serve(updates)

    hub.serve = measured
    bench.run()
    bench.close()
    return {"bytes": most[0]}


WRONG = {"signatures": b"0" * 786}
SCENARIOS = {
    "memory": memory,
    "all_is_well": lambda: offered("new"),
    "by_a_stranger": lambda: offered("by_a_stranger"),
    "unsigned": lambda: offered("unsigned"),
    "other_chip": lambda: offered("other_chip"),
    "other_variant": lambda: offered("other_variant"),
    "less_secure": lambda: offered("less_secure"),
    "newer_micropython": lambda: offered("newer_micropython"),
    "other_mpy": lambda: offered("other_mpy"),
    "image_without_a_place": lambda: offered("image"),
    "wrong_manifest": lambda: offered("new", wrong={"manifest": OLD.given["manifest"]}),
    "wrong_file": lambda: offered("new", wrong={NEW.files["outpost/agent.mpy"]: b"x" * 5000}),
    "short_file": lambda: offered("new", wrong={NEW.files["outpost/agent.mpy"]: b"x" * 4999}),
    "gone": lambda: offered("new", err={NEW.files["outpost/agent.mpy"]: "gone"}),
    "crash_at_import": lambda: broken("import"),
    "crash_in_run": lambda: broken("run"),
    "hang": lambda: broken("hang"),
    "never_well": never_well,
    "no_hub": no_hub,
    "one_cut_on_trial": lambda: powerless(1),
    "two_cuts_on_trial": lambda: powerless(2),
    "again": again,
    "already": already,
    "withdrawn": withdrawn,
    "replaced": replaced,
    "delayed": delayed,
    "full": lambda: full(44),
    "brimful": lambda: full(23),
    "rotation": rotation,
    "there_and_back": there_and_back,
    "damaged": damaged,
    "image": an_image,
    "bad_image": lambda: an_image(well=False),
    "older_image": an_older_image,
    "image_cut_off": an_image_cut_off_at_its_switch,
    "no_memory": no_memory,
    "silent_hub": silent_hub,
}
results = {}
for name in SCENARIOS:
    try:
        results[name] = SCENARIOS[name]()
    except Exception as error:
        sys.stderr.write(name + "\n")
        sys.print_exception(error, sys.stderr)
        results[name] = {"error": repr(error)}
        try:
            import os

            os.umount("/board")
        except OSError:
            pass
print(json.dumps(results))
