"""Run by the board's own Python: the power goes at every so many moments of an update, from its offer to its end.

    update_cuts.py FIRMWARE APPS STRIDE OFFSET

A moment is a byte that is programmed, a block that is erased, a value that is stored, by updater and selector
alike. After each cut the board starts again with what is on its flash. Prints, for each kind of update, how many
moments it has and in how many of them the power went; and whatever was not as it should be.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, __file__.rsplit("/", 1)[0])

from update_bench import Bench, Hub, read_apps

APPS = read_apps(sys.argv[2])
STRIDE, OFFSET = int(sys.argv[3]), int(sys.argv[4])
OLD, NEW, OTHER = APPS["old"], APPS["new"], APPS["other"]
BLOCKS = 96


def into_an_empty_folder(bench, hub):
    hub.offers(NEW)
    return ((NEW.id, "confirmed"),)


def over_an_older_app(bench, hub):
    bench.put("b", OTHER)
    hub.offers(NEW)
    return ((NEW.id, "confirmed"),)


def to_one_that_crashes(bench, hub):
    bench.broken[NEW.id] = "import"
    hub.offers(NEW)
    return ((OLD.id, "rolled-back"),)


def to_one_that_is_never_well(bench, hub):
    hub.well = False
    hub.offers(NEW)
    return ((OLD.id, "rolled-back"),)


def a_whole_image(bench, hub):
    hub.offers(APPS["image"])
    return ((OLD.id, "confirmed"), (OLD.id, "rolled-back"))  # the boot loader gives it one start only


def with_a_second_cut(bench, hub):
    hub.offers(NEW)
    return ((NEW.id, "confirmed"), (OLD.id, "rolled-back"))  # both may be in the trial: then its power is to blame


def cuts(begin, stride, images=0, later=0):
    """Every so many moments of one kind of update; its facts, and what went wrong. `later` spreads a second cut
    over all that follows the first.
    """
    hub = Hub(APPS.values())
    bench = Bench(hub, BLOCKS, images)
    bench.put("a", OLD)
    wanted = begin(bench, hub)
    snapshot = bench.snapshot()
    bench.power.at = 0
    first = (bench.run(), hub.steps[-1])
    moments, wrong, done = bench.power.at, [], 0
    if first not in wanted:
        wrong.append([-1, list(hub.steps)])
    for moment in range(OFFSET % stride, moments, stride):
        bench.restore(snapshot)
        hub.steps, hub.reasons, hub.asked, bench.ran, bench.cause = [], [], [], [], ""
        bench.power.at, bench.power.cut = 0, moment
        bench.later = [moment * later % moments] if later else []
        try:
            came = (bench.run(), hub.steps[-1])
            back = came[1] == "rolled-back"
            unswitched = back and images and "staged" not in hub.steps  # then nothing may be told of going back
            if came not in wanted or unswitched or (back and not hub.reasons[-1]):
                wrong.append([moment, list(hub.steps)])
        except Exception as error:
            sys.print_exception(error, sys.stderr)
            wrong.append([moment, repr(error)])
        done += 1
    bench.close()
    return {"moments": moments, "cuts": done, "wrong": wrong[:20]}


print(
    json.dumps(
        {
            "into an empty folder": cuts(into_an_empty_folder, STRIDE),
            "over an older app": cuts(over_an_older_app, STRIDE),
            "to one that crashes": cuts(to_one_that_crashes, 2 * STRIDE),
            "to one that is never well": cuts(to_one_that_is_never_well, 4 * STRIDE),
            "with a second cut": cuts(with_a_second_cut, 2 * STRIDE, later=7919),
            "a whole image": cuts(a_whole_image, STRIDE, images=16384),
        }
    )
)
