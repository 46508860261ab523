"""The start of a virtual board with two folders for its app: boot loader, selector, watchdog, as on a chip.

`ports/unix.py --layout ab` comes here first. The selector chooses /a or /b of the flash folder, modules come from
there alone, and only what imitates the hardware (`ports/unix*.py`) is the same for all apps.

The watchdog is the file `watchdog` beside the flash: its content says after how many seconds without being touched
the board is reset. Who runs the board looks at it (edge/sim/board.py), and says `--cause watchdog` at its next
start.
"""

import os
import sys

import outpost_boot
import ports
from ports.unix_files import make_folder, replace

MICROPYTHON = sys.implementation.name == "micropython"
ENOENT = 2


class Files(outpost_boot.Store):
    """Non-volatile storage: a file for each value, a number in digits."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def number(self, key: str, default: int) -> int:
        text = self.text(key)
        return int(text) if text else default

    def set_number(self, key: str, value: int) -> None:
        self.set_text(key, str(value))

    def text(self, key: str) -> str:
        try:
            with open(self._folder + "/" + key, "rb") as file:
                return file.read().decode()
        except OSError:
            return ""

    def set_text(self, key: str, text: str) -> None:
        replace(self._folder + "/" + key, text.encode())

    def forget(self, key: str) -> None:
        try:
            os.remove(self._folder + "/" + key)
        except OSError as error:
            if error.errno != ENOENT:
                raise


def main(root: str) -> int:
    """Start what is to be started; its exit code. `root` is the folder of this firmware's sources."""
    flash = _option("--flash").rstrip("/")
    beside = flash.rsplit("/", 1)[0] if "/" in flash else "."
    for folder in (flash, flash + "/nvs"):
        make_folder(folder)
    ended = []  # type: list[int]

    def load(folder: str) -> object:
        arm(beside, outpost_boot.WATCHDOG_MS // 1000)
        if folder:
            sys.path.remove(root)
            if MICROPYTHON:
                outpost_boot.only_in(folder)
            else:
                sys.path.insert(0, folder)
        from ports import unix

        run = unix.prepared(folder)
        return lambda: ended.append(run())

    try:
        outpost_boot.start(Files(flash + "/nvs"), flash, _option("--cause"), load)
    except Exception as error:
        if MICROPYTHON:
            sys.print_exception(error, sys.stderr)
        else:
            sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return ended[0]


def arm(beside: str, seconds: int) -> None:
    """From here on the board is reset when the file is not touched for so long."""
    replace(beside + "/watchdog", str(seconds).encode())


def _option(name: str) -> str:
    """The value of an option, '' where it is not given."""
    at = sys.argv.index(name) if name in sys.argv else -1
    return sys.argv[at + 1] if 0 <= at < len(sys.argv) - 1 else ""


assert ports  # it is found here, before an app's folder takes the place of the sources
