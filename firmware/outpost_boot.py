"""Which of a board's two apps starts: the selector. It is put on the board over the cable, and never over the air.

An app is a folder, /a or /b, with all its modules and its `manifest`, which is written last: a folder without one
is none. Three numbers in non-volatile storage say how they stand, and each change is one write of one of them:

    slot   which folder starts: 0 or 1
    ok     which is confirmed, counted from 1; while it is not `slot` + 1 the app in `slot` is on trial
    try    how often the app on trial was started
    miss   how often in a row the confirmed app could not be loaded

A trial ends well when the app sets `ok`. It ends badly when the app can't be loaded, raises, hangs until the
watchdog bites, says itself that it is not well (each leaves `why`, or the reason of the reset), or when its power
was cut twice. Then the confirmed app starts, and `back` keeps the reason until the hub has heard it. A confirmed
app whose files are gone or can't be loaded any more gives the other one a trial: none is confirmed but by itself.

The numbers decide. The texts are for people: where there is no room for one it is left out, and the board starts.

The watchdog is armed before anything of an app is loaded. With neither folder the board is of the older layout, all
in the root, and starts as it always did.
"""

import os
import sys

try:
    from collections.abc import Callable
except ImportError:  # MicroPython has none, and needs none
    pass

FOLDERS = ("a", "b")
STARTS_MAX = 2  # of an app on trial: one power cut is nobody's fault
MISSES_MAX = 2  # in a row, of a confirmed app that can't be loaded: memory may have been short for once
WATCHDOG_MS = 60000  # the app sets its own once it runs
WHY_CHARS = 120
WATCHDOG = "watchdog"
POWER = "power"
GONE = "its files are gone"
BOOT_BUTTON = 0
BOOT_BUTTON_MS = 1500  # how long after a reset it is looked at: held during the reset, it means the bootloader
RESTART_MS = 3000  # so long an error's text can be read before the board starts anew
NAMESPACE = "outpost"
TEXT_BYTES_MAX = 200


class Store:
    """Non-volatile storage, as far as it is needed here. Each write is kept when it returns, or raises OSError."""

    def number(self, key: str, default: int) -> int:
        """A number; `default` where there is none."""
        raise NotImplementedError

    def set_number(self, key: str, value: int) -> None:
        """Keep a number of 32 bits."""
        raise NotImplementedError

    def text(self, key: str) -> str:
        """A short text; '' where there is none."""
        raise NotImplementedError

    def set_text(self, key: str, text: str) -> None:
        """Keep a short text."""
        raise NotImplementedError

    def forget(self, key: str) -> None:
        """Keep it no longer; none there is no error."""
        raise NotImplementedError


def chosen(store: Store, root: str, cause: str) -> str:
    """The folder to start, '' for a board of the older layout. The start is counted before this returns.

    `cause` is `watchdog` when that reset the board. Raises OSError.
    """
    there = [_whole(root, slot) for slot in (0, 1)]
    if not there[0] and not there[1]:
        return ""
    slot, good = standing(store)
    if slot == good:
        if not there[slot]:
            slot = _other_on_trial(store, slot, GONE)
            store.set_number("try", 1)
    else:
        starts = store.number("try", 0)
        why = store.text("why") or (WATCHDOG if starts and cause == WATCHDOG else "")
        if not there[slot]:
            why = why or GONE
        elif starts >= STARTS_MAX:
            why = why or POWER
        if why and there[good]:
            _keep(store, "back", why)
            store.set_number("slot", good)
            slot = good
        elif there[slot]:
            store.set_number("try", min(starts, STARTS_MAX) + 1)
        else:
            store.set_number("slot", good)  # neither is whole, but for what `there` says of the other
            slot = good
    return root + "/" + FOLDERS[slot]


def standing(store: Store) -> "tuple[int, int]":
    """Which folder starts and which is confirmed, as 0 or 1."""
    slot = store.number("slot", 0)
    if slot not in (0, 1):
        slot = 0
    good = store.number("ok", slot + 1) - 1
    return slot, good if good in (0, 1) else slot


def failed(store: Store, root: str, loaded: bool, why: str) -> None:
    """The app that was started ended with an error. Raises OSError."""
    slot, good = standing(store)
    if slot != good:
        if not _keep(store, "why", why):
            store.set_number("try", STARTS_MAX)
    elif not loaded and _whole(root, 1 - slot):
        misses = store.number("miss", 0) + 1
        store.set_number("miss", misses % MISSES_MAX)
        if misses >= MISSES_MAX:
            _other_on_trial(store, slot, why)  # its files are damaged


def started(store: Store) -> None:
    """The app is loaded. Raises OSError."""
    if store.number("miss", 0):
        store.set_number("miss", 0)


def start(store: Store, root: str, cause: str, load: "Callable[[str], Callable[[], None]]") -> None:
    """Start an app and stay in it. `load(folder)` imports all of it and returns what runs it. Raises as they do."""
    folder = chosen(store, root, cause)
    loaded = False
    try:
        run = load(folder)
        loaded = True
        started(store)
        run()
    except Exception as error:
        if folder:
            failed(store, root, loaded, in_a_line(error))
        raise


def in_a_line(error: Exception) -> str:
    """What it is, short and in plain characters."""
    text = "%s: %s" % (type(error).__name__, error)
    return "".join([character if " " <= character <= "~" else "?" for character in text[:WHY_CHARS]])


def only_in(folder: str) -> None:
    """Let modules come from this folder alone, or from what is built in: not from an older layout's remains."""
    if folder:
        sys.path[:] = [folder, ".frozen", "/lib"]


def _other_on_trial(store: Store, slot: int, why: str) -> int:
    """Let the other one start from here on, and prove itself; which that is."""
    _keep(store, "back", why)
    store.forget("why")
    store.set_number("ok", slot + 1)
    store.set_number("try", 0)
    store.set_number("slot", 1 - slot)
    return 1 - slot


def _keep(store: Store, key: str, text: str) -> bool:
    """Keep a text if there is room for it; whether there was."""
    try:
        store.set_text(key, text)
        return True
    except OSError:
        return False


def _whole(root: str, slot: int) -> bool:
    try:
        os.stat(root + "/" + FOLDERS[slot] + "/manifest")
        return True
    except OSError:
        return False


# On the chip


class Nvs(Store):
    """The board's own; the app's port uses the same."""

    def __init__(self) -> None:
        import esp32

        self._nvs = esp32.NVS(NAMESPACE)

    def number(self, key: str, default: int) -> int:
        try:
            return self._nvs.get_i32(key)
        except OSError:
            return default

    def set_number(self, key: str, value: int) -> None:
        self._nvs.set_i32(key, value)
        self._nvs.commit()

    def text(self, key: str) -> str:
        buffer = bytearray(TEXT_BYTES_MAX)
        try:
            return bytes(buffer[: self._nvs.get_blob(key, buffer)]).decode()
        except (OSError, ValueError):
            return ""

    def set_text(self, key: str, text: str) -> None:
        self._nvs.set_blob(key, text.encode()[:TEXT_BYTES_MAX])
        self._nvs.commit()

    def forget(self, key: str) -> None:
        try:
            self._nvs.erase_key(key)
        except OSError:
            return  # there is none
        self._nvs.commit()


def main() -> None:
    """What main.py calls. Ends only at the BOOT button; after an error the board starts anew."""
    import time

    import machine

    if machine.reset_cause() != machine.DEEPSLEEP_RESET and _button_held():
        print("outpost: BOOT held, staying at the REPL")
        return
    try:
        cause = WATCHDOG if machine.reset_cause() == machine.WDT_RESET else ""
        start(Nvs(), "", cause, _loaded)
    except Exception as error:
        sys.print_exception(error)
    except SystemExit:
        pass
    time.sleep_ms(RESTART_MS)
    machine.reset()


def _loaded(folder: str) -> "Callable[[], None]":
    """The app, ready to run, with the watchdog armed before a byte of it is read."""
    if not folder:
        from ports.esp32 import prepared

        return prepared("")
    import machine

    machine.WDT(timeout=WATCHDOG_MS)
    only_in(folder)
    from ports.esp32 import prepared

    return prepared(folder)


def _button_held() -> bool:
    import time

    from machine import Pin

    button = Pin(BOOT_BUTTON, Pin.IN, Pin.PULL_UP)
    for _ in range(BOOT_BUTTON_MS // 50):
        if button.value() == 0:
            return True
        time.sleep_ms(50)
    return False
