"""Run by the board's own Python until it is killed: keeps records, tells each number once it is kept."""

import os
import sys

sys.path.insert(0, sys.argv[1])

from outpost.buffer import Buffer, pack
from outpost.log import Log
from outpost.port import Port


class Flash(Port):
    files = sys.argv[2]

    def load(self, key):
        try:
            with open(self.files + "/nvs_" + key, "rb") as file:  # noqa: PTH123
                return file.read()
        except OSError:
            return None

    def save(self, key, value):
        path = self.files + "/nvs_" + key
        with open(path + ".new", "wb") as file:  # noqa: PTH123
            file.write(value)
            file.flush()
        os.rename(path + ".new", path)  # noqa: PTH104


buffer = Buffer(Flash(), Log(), 64 * 1024)
while True:
    seq = buffer.append(pack(1, 2, 3, {"n": buffer.next_seq}))
    sys.stdout.write(f"{seq}\n")
    if seq % 50 == 49:
        buffer.acknowledge(seq - 20)
