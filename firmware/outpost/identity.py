"""What a device is known by across its restarts: its epoch and its boot counter."""

import binascii

from outpost.port import Port

EPOCH_BYTES = 8


class Identity:
    """Read once at the start, which it counts."""

    def __init__(self, port: Port) -> None:
        self.chip = port.chip
        self.reset_cause = port.reset_cause()
        self.boot = int.from_bytes(port.load("boot") or b"", "little") + 1
        port.save("boot", self.boot.to_bytes(4, "little"))
        epoch = port.load("epoch")
        if epoch is None:
            epoch = binascii.hexlify(port.random(EPOCH_BYTES))
            port.save("epoch", epoch)
        self.epoch = epoch.decode()
