"""Deep sleep on the ESP32: the chip is off but for its clock, and starts as after a reset.

Its button wakes it by going low (EXT0), its motion sensor by going high (EXT1): both pins have to be ones of the
RTC (0, 2, 4, 12 to 15, 25 to 27, 32 to 39). The chip's clock goes on meanwhile, so how far UTC is from it is kept
in the memory that has power.
"""

import time

import esp32
import machine
from machine import Pin

REASONS = {machine.TIMER_WAKE: "timer", machine.EXT0_WAKE: "button", machine.EXT1_WAKE: "motion"}
MAGIC = b"OPU1"
OFFSET_BYTES = 8


def sleep(ms: int, utc_us: int, button: "Pin | None", motion: "Pin | None") -> None:
    """Does not return. A sensor that sees somebody just now would wake it at once: it does not, this time."""
    offset = utc_us - time.time_ns() // 1000 if utc_us else 0
    machine.RTC().memory(MAGIC + offset.to_bytes(OFFSET_BYTES, "little") if offset > 0 else b"")
    if button is not None:
        esp32.wake_on_ext0(button, esp32.WAKEUP_ALL_LOW)
    if motion is not None and not motion.value():
        esp32.wake_on_ext1((motion,), esp32.WAKEUP_ANY_HIGH)
    machine.deepsleep(ms)


def woken_by() -> str:
    """`timer`, `button` or `motion`; '' after any other start."""
    if machine.reset_cause() != machine.DEEPSLEEP_RESET:
        return ""
    return REASONS.get(machine.wake_reason(), "timer")


def utc_us_kept() -> int:
    """UTC in us, 0 where it was not known."""
    kept = machine.RTC().memory()
    if machine.reset_cause() != machine.DEEPSLEEP_RESET or len(kept) != len(MAGIC) + OFFSET_BYTES:
        return 0
    if kept[: len(MAGIC)] != MAGIC:
        return 0
    return time.time_ns() // 1000 + int.from_bytes(kept[len(MAGIC) :], "little")
