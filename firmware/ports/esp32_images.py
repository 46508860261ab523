"""The two places for a whole image that a board with an OTA partition table has."""

from esp32 import Partition

from outpost.port import ImageSlot

LABEL = 4  # where Partition.info() has it
SIZE = 3


class OtaSlot(ImageSlot):
    """The partition that does not run now."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        info = partition.info()
        self.name = str(info[LABEL])
        self.size = int(info[SIZE])

    def write(self, at: int, data: bytes) -> None:
        """A block is erased before it is written; what `data` has not is as after erasing."""
        block = bytearray(b"\xff" * self.block)
        block[: len(data)] = data
        self._partition.writeblocks(at // self.block, block)

    def readinto(self, at: int, buffer: memoryview) -> None:
        self._partition.readblocks(at // self.block, buffer)  # type: ignore[call-overload]  # any buffer does

    def activate(self) -> None:
        """The chip looks at the image's own checksums first."""
        self._partition.set_boot()


def running() -> str:
    """The label of the partition that runs."""
    return str(Partition(Partition.RUNNING).info()[LABEL])  # type: ignore[arg-type]  # the stubs know labels alone


def other() -> "OtaSlot | None":
    """The one that does not; None on a board with one only."""
    try:
        slot = OtaSlot(Partition(Partition.RUNNING).get_next_update())  # type: ignore[arg-type]  # as above
    except OSError:
        return None
    return slot if slot.name != running() else None


def confirm() -> None:
    """Keep the image that runs. A boot loader that knows no going back needs no telling."""
    try:
        Partition.mark_app_valid_cancel_rollback()
    except OSError:
        pass
