"""For scripts that the board's own Python runs: a board on a bench whose power can go at any byte, and its hub.

Its flash is MicroPython's littlefs on a disk in memory, as on the chip. Every byte that is programmed, every block
that is erased and every value that is stored is one moment at which the power may go: there PowerCut is raised, and
what was written of a piece so far stays.
"""

import binascii
import hashlib
import json
import os

import outpost_boot
from outpost import manifest
from outpost.clock import Clock
from outpost.log import Log
from outpost.port import ImageSlot, Port
from outpost.updates import Updates

ROOT = "/board"
BLOCK = 4096
ROUND_MS = 10
ROUNDS_MAX = 30000  # of one start: five minutes of the board's time


class PowerCut(BaseException):
    """Now."""


class Restart(BaseException):
    """The board starts anew, by its own will."""


class Power:
    """Counts the moments; goes at number `cut`, for good until `back`."""

    def __init__(self):
        self.at = 0
        self.cut = None
        self.gone = False

    def passes(self, moments):
        """How many of these moments there is power for. All, mostly."""
        if self.cut is not None and self.at + moments > self.cut:
            done = max(0, self.cut - self.at)
            self.at = self.cut
            self.gone = True
            return done
        self.at += moments
        return moments

    def back(self):
        self.cut = None
        self.gone = False


class Disk:
    """A block device in memory. `unplugged`: files that were open when the power went are closed in vain, later."""

    def __init__(self, data, power):
        self.data = data
        self.power = power
        self.unplugged = False

    def readblocks(self, block, buffer, offset=0):
        if self.unplugged or self.power.gone:
            return
        at = block * BLOCK + offset
        buffer[:] = memoryview(self.data)[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        if self.unplugged or self.power.gone:
            return
        at = block * BLOCK + offset
        count = self.power.passes(len(buffer))
        self.data[at : at + count] = memoryview(buffer)[:count]
        if count < len(buffer):
            raise PowerCut

    def ioctl(self, what, argument):
        if self.unplugged or self.power.gone:
            return 0
        if what == 4:
            return len(self.data) // BLOCK
        if what == 5:
            return BLOCK
        if what == 6:
            if not self.power.passes(1):
                raise PowerCut
            at = argument * BLOCK
            self.data[at : at + BLOCK] = b"\xff" * BLOCK
        return 0


class Partitions:
    """Two places for whole images, and a boot loader that goes back once."""

    def __init__(self, size):
        self.data = {"ota_0": bytearray(size), "ota_1": bytearray(size)}
        self.running = "ota_0"
        self.state = "valid"

    def start(self):
        if self.state == "new":
            self.state = "pending"
        elif self.state == "pending":
            self.state = "valid"
            self.running = self.other()

    def other(self):
        return "ota_1" if self.running == "ota_0" else "ota_0"


class Slot(ImageSlot):
    def __init__(self, partitions, power):
        self.name = partitions.other()
        self.size = len(partitions.data[self.name])
        self._partitions = partitions
        self._power = power

    def write(self, at, data):
        count = self._power.passes(len(data))
        self._partitions.data[self.name][at : at + count] = memoryview(data)[:count]
        if count < len(data):
            raise PowerCut

    def readinto(self, at, buffer):
        buffer[:] = memoryview(self._partitions.data[self.name])[at : at + len(buffer)]

    def activate(self):
        if not self._power.passes(1):
            raise PowerCut
        self._partitions.running = self.name
        self._partitions.state = "new"


class Nvs(outpost_boot.Store):
    """Values that are stored whole or not at all, as the chip's are. Each is two moments: before it, and after."""

    def __init__(self, power):
        self.values = {}
        self.power = power

    def put(self, key, value):
        if not self.power.passes(1):
            raise PowerCut
        if value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = value
        if not self.power.passes(1):
            raise PowerCut

    def number(self, key, default):
        return self.values.get(key, default)

    def set_number(self, key, value):
        self.put(key, value)

    def text(self, key):
        return self.values.get(key, b"").decode()

    def set_text(self, key, text):
        self.put(key, text.encode())

    def forget(self, key):
        if key in self.values:
            self.put(key, None)


class BenchPort(Port):
    files = ROOT
    chip = "A0B1C2D3E4F5"

    def __init__(self, bench, app):
        self.app = app
        self._bench = bench

    def passed_ms(self):
        passed, self._bench.passed_ms = self._bench.passed_ms, 0
        return passed

    def load(self, key):
        return self._bench.nvs.values.get(key)

    def save(self, key, value):
        self._bench.nvs.put(key, value)

    def forget(self, key):
        if key in self._bench.nvs.values:
            self._bench.nvs.put(key, None)

    def number(self, key, default):
        return self._bench.nvs.number(key, default)

    def set_number(self, key, value):
        self._bench.nvs.put(key, value)

    def random(self, count):
        return b"\x5a" * count

    def image_slot(self):
        return Slot(self._bench.images, self._bench.power) if self._bench.images else None

    def image_running(self):
        return self._bench.images.running if self._bench.images else ""

    def confirm_image(self):
        if self._bench.images:
            self._bench.images.state = "valid"


class App:
    """One artifact as tests/firmware/apps.py made it."""

    def __init__(self, said):
        self.id = said["id"]
        self.kind = said["kind"]
        self.given = {what: binascii.a2b_base64(said["given"][what]) for what in said["given"]}
        self.files = said["files"]  # path to what it is asked for by
        self.size = sum([len(self.given[self.files[path]]) for path in self.files])


class Hub:
    """What it was told is in `steps`, what it was asked for in `asked`; set the others to make it behave."""

    def __init__(self, apps):
        self.apps = {app.id: app for app in apps}
        self.offer = None
        self.well = True  # whether it says that a device on trial is well
        self.there = True
        self.wrong = {}  # by what is asked for: what is given instead
        self.err = {}  # the same: why nothing is
        self.most = 2048
        self.steps = []
        self.reasons = []
        self.asked = []
        self.on_ask = None

    def offers(self, app, attempt=1):
        self.offer = app and {"artifact": app.id, "kind": app.kind, "size": app.size, "attempt": attempt}

    def serve(self, updates):
        """What the device asks just now, if it does."""
        request = updates.request()
        if request is None or not self.there:
            return
        if request.told is not None:
            told = request.told
            if not self.steps or self.steps[-1] != told["step"]:
                self.steps.append(told["step"])
                self.reasons.append(told["reason"])
            confirm = self.well and told["step"] == "testing"
            updates.heard(request, {"artifact": told["artifact"], "step": told["step"], "confirm": confirm})
            return
        fetch = request.fetch
        self.asked.append((fetch["what"], fetch["start"]))
        if self.on_ask is not None:
            self.on_ask(fetch)
        whole = self.wrong.get(fetch["what"]) or self.apps[fetch["artifact"]].given[fetch["what"]]
        message = dict(fetch, total=len(whole), err=self.err.get(fetch["what"], ""))
        updates.piece(request, message, whole[fetch["start"] : fetch["start"] + min(fetch["most"], self.most)])


class Bench:
    """One board. `apps` may be put on it; `run` is what it does between two starts."""

    def __init__(self, hub, blocks=64, images=0):
        self.power = Power()
        self.disk = Disk(bytearray(blocks * BLOCK), self.power)
        os.VfsLfs2.mkfs(self.disk)
        self.nvs = Nvs(self.power)
        self.images = Partitions(images) if images else None
        self.hub = hub
        self.passed_ms = 0
        self.broken = {}  # by artifact: how its app behaves, `import` or `run` or `hang`
        self.busy = ""
        self.cause = ""
        self.later = []  # so many moments after a cut the power goes again
        self.ran = []  # the artifacts that were started, one after the other
        self.updates = None
        self.mounted = False

    def mount(self):
        self.close()
        self.disk = Disk(self.disk.data, self.power)
        os.mount(os.VfsLfs2(self.disk), ROOT)
        self.mounted = True

    def close(self):
        self.disk.unplugged = True
        if self.mounted:
            os.umount(ROOT)
            self.mounted = False

    def put(self, folder, app):
        """Over the cable."""
        self.mount()
        path = ROOT + "/" + folder
        os.mkdir(path)  # noqa: PTH102
        for name in app.files:
            _put(path, name, app.given[app.files[name]])
        for name in ("signatures", "manifest"):
            _put(path, name, app.given[name])

    def snapshot(self):
        return bytes(self.disk.data), dict(self.nvs.values)

    def restore(self, snapshot):
        self.close()
        self.disk.data[:] = snapshot[0]  # in place: a heap that is in use for long has no second one in one piece
        self.nvs.values = dict(snapshot[1])
        if self.images:
            self.images.running, self.images.state = "ota_0", "valid"

    def run(self, starts=12):
        """Start it again and again until there is nothing more to do; the artifact that runs then."""
        for _ in range(starts):
            try:
                self.start()
                return self.updates.slots.id
            except Restart:
                self.cause = "reset"
            except PowerCut:
                self.cause = "power"
                self.disk.unplugged = True
                self.power.back()
                if self.later:
                    self.power.cut = self.power.at + self.later.pop()
        raise RuntimeError("it never comes to rest: " + ", ".join(self.hub.steps))

    def start(self):
        """One start, up to where nothing is left to do."""
        self.mount()
        if self.images:
            self.images.start()
        folder = outpost_boot.chosen(self.nvs, ROOT, self.cause)
        check(folder)
        id = binascii.hexlify(manifest.digest(folder + "/manifest")).decode()
        self.ran.append(id)
        how = self.broken.get(id, "")
        if how == "hang":
            self.cause = "watchdog"
            self.start()
            return
        if how:
            outpost_boot.failed(self.nvs, ROOT, how != "import", "ImportError: no module named 'gone'")
            raise Restart
        port = BenchPort(self, folder)
        clock = Clock(port)
        self.updates = Updates(port, clock, Log(), lambda: self.busy, self.restart)
        self.updates.offer(self.hub.offer)
        for _ in range(ROUNDS_MAX):
            self.passed_ms += ROUND_MS
            self.updates.step()
            self.hub.serve(self.updates)
            self.updates.offer(self.hub.offer)
            if self.updates._life is None and (self.updates.request() is None or not self.hub.there):
                return
        if self.hub.there:
            raise RuntimeError("it waits for something")

    def restart(self):
        raise Restart


def check(folder):
    """Whatever starts is whole: every file is as its manifest says."""
    path = folder + "/manifest"
    head = manifest.read(path)
    for _, sha256, name in manifest.files(path, head):
        if binascii.hexlify(manifest.digest(folder + "/" + name)).decode() != sha256:
            raise RuntimeError("it starts a damaged app: " + name)


def _put(folder, name, data):
    parts = name.split("/")
    for count in range(1, len(parts)):
        if parts[count - 1] not in os.listdir(folder + "/" + "/".join(parts[: count - 1])):  # noqa: PTH208
            os.mkdir(folder + "/" + "/".join(parts[:count]))  # noqa: PTH102
    with open(folder + "/" + name, "wb") as file:  # noqa: PTH123
        file.write(data)


def read_apps(path):
    """All of the file, by name."""
    with open(path) as file:  # noqa: PTH123
        said = json.load(file)
    return {name: App(said[name]) for name in said}


def digest(data):
    return binascii.hexlify(hashlib.sha256(data).digest()).decode()
