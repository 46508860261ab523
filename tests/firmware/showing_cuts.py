"""Run by the board's own Python: the power goes at every so many moments while a picture takes another's place.

    showing_cuts.py FIRMWARE STRIDE OFFSET

A moment is a byte that is programmed, a block that is erased, a value that is stored, on MicroPython's littlefs.
After each cut the board starts again with what is on its flash: it must have one of the two whole, show that at
once, and come to the new one. Prints how many moments there are, in how many the power went, what was wrong, and
how much of the heap it took.
"""

import binascii
import gc
import hashlib
import json
import os
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, __file__.rsplit("/", 1)[0])

from outpost.clock import Clock
from outpost.log import Log
from outpost.port import Port
from outpost.showing import Showing
from update_bench import BLOCK, Disk, Nvs, Power, PowerCut

STRIDE, OFFSET = int(sys.argv[2]), int(sys.argv[3])
WIDTH, HEIGHT = 320, 480
BLOCKS = 24
ROUNDS_MAX = 400


def stored(seed):
    """A picture that does not compress, and its bytes: MicroPython inflates, but does not deflate."""
    row = bytes([(seed * 37 + at * 11) & 0xFF for at in range(WIDTH // 8)])
    bitmap = b"".join([bytes([byte ^ (y & 0xFF) for byte in row]) for y in range(HEIGHT)])
    low, high = 1, 0
    for byte in bitmap:
        low = (low + byte) % 65521
        high = (high + low) % 65521
    size = len(bitmap)
    head = b"\x28\x91\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
    return bitmap, head + bitmap + (high << 16 | low).to_bytes(4, "big")


class Board(Port):
    def __init__(self, power):
        self.power = power
        self.nvs = Nvs(power)
        self.data = bytearray(BLOCKS * BLOCK)
        self.files = "/cuts"
        self.disk = None
        self.least = None  # bytes of the heap, while that is looked at
        import vfs

        vfs.VfsLfs2.mkfs(Disk(self.data, power))
        self.mount()

    def mount(self):
        import vfs

        if self.disk is not None:
            self.disk.unplugged = True
            vfs.umount(self.files)
        self.disk = Disk(self.data, self.power)
        vfs.mount(vfs.VfsLfs2(self.disk), self.files)
        self.ms = 0
        self.clock = Clock(self)
        self.showing = Showing(self, self.clock, Log(0), WIDTH, HEIGHT)

    def passed_ms(self):
        passed, self.ms = self.ms, 0
        return passed

    def load(self, key):
        return self.nvs.values.get(key)

    def save(self, key, value):
        self.nvs.put(key, value)

    def forget(self, key):
        self.nvs.put(key, None)

    def inflate(self, source):
        import deflate

        return deflate.DeflateIO(source, deflate.ZLIB)

    def until(self, name, pictures, told):
        """Rounds of its main loop until that picture is the last good one, and the hub knows."""
        showing = self.showing
        for _ in range(ROUNDS_MAX):
            self.ms += 10
            showing.step()
            if self.power.gone:
                raise PowerCut  # closing a file has made another error of it
            if showing.picture == name and told[-1:] != [name]:
                showing.begin()
                whole = hashlib.sha256()
                for band in showing.rows():
                    whole.update(band)
                if whole.digest() != hashlib.sha256(pictures[name][0]).digest():
                    return "other rows"
                showing.is_shown(name)
            if self.least is not None:
                gc.collect()
                self.least = min(self.least, gc.mem_free())
            request = showing.request()
            if request is None:
                if showing.picture == name and told[-1:] == [name]:
                    return ""
                continue
            if request.told is not None:
                told.append(request.told["picture"])
                showing.heard(request, request.told["picture"])
                continue
            fetch = request.fetch
            data = pictures[fetch["artifact"]][1]
            message = dict(fetch)
            message["total"] = len(data)
            showing.piece(request, message, data[fetch["start"] : fetch["start"] + fetch["most"]])
        return "it does not come to it"


def said(pictures, name):
    return {"picture": name, "size": len(pictures[name][1]), "again_s": 60}


def main():
    pictures = {}
    names = []
    for seed in (1, 2):
        bitmap, data = stored(seed)
        names.append(binascii.hexlify(hashlib.sha256(data).digest()).decode())
        pictures[names[-1]] = (bitmap, data)
    old, new = names
    power = Power()
    board = Board(power)
    board.showing.show(said(pictures, old))
    wrong = []
    if board.until(old, pictures, []):
        wrong.append("the first")
    flash, values = bytes(board.data), dict(board.nvs.values)
    gc.collect()
    free = board.least = gc.mem_free()
    power.at = 0
    board.showing.show(said(pictures, new))
    if board.until(new, pictures, []):
        wrong.append("the second")
    heap, board.least = free - board.least, None
    moments = power.at
    cuts = 0
    for cut in range(OFFSET, moments, STRIDE):
        board.disk.unplugged = True
        board.data[:] = flash
        board.nvs.values = dict(values)
        board.mount()
        power.at, power.cut = 0, cut
        try:
            board.showing.show(said(pictures, new))
            board.until(new, pictures, [])
            wrong.append([cut, "no cut"])
            continue
        except PowerCut:
            cuts += 1
        power.back()
        board.mount()
        if board.showing.picture not in names or not board.showing.scheduled:
            wrong.append([cut, "none is whole"])
        board.showing.show(said(pictures, new))
        why = board.until(new, pictures, [])
        if why:
            wrong.append([cut, why])
        left = os.listdir("/cuts/showing")  # noqa: PTH208
        if left != ["picture"]:
            wrong.append([cut, left])
        gc.collect()
    print(json.dumps({"moments": moments, "cuts": cuts, "wrong": wrong, "heap": heap}))


main()
