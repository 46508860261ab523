"""A virtual old vending machine on a cable: what its sketch does with the bytes of its serial line.

The device itself (`OldMachine`) is pure: bytes and a time in, bytes out. `turns` counts what its motors did, which
is the truth that a test compares the hub's books with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import msgspec

SLOTS = 5
COMMAND_CHARS_MAX = 50
DISPENSE_S, MOTOR_OFF_S = 0.1, 0.5  # after the motor starts
BOOT_S = 0.3  # from a reset to the first line
IDLE_AFTER_S, IDLE_EVERY_S = 30.0, 10.0
END = b"\r\n"
RULE = "-" * 40
ROM_NOISE = (
    b"\xff\x00\xfeets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    b"load:0x3fff0030,len:1344\r\nentry 0x400805e4\r\n"
)
BANNER = (
    "========================================",
    "ESP32 USB Serial Vending Machine v1.1",
    "System initializing...",
    "DEVICE_ID:ESP32_USB_VENDING",
    "DEVICE_TYPE:VENDING_MACHINE",
    "COMM_METHOD:USB_SERIAL",
    "FIRMWARE_VERSION:1.1",
    "SLOTS_AVAILABLE:5",
    "✅ System ready!",
    "📡 Auto-discovery enabled",
    "Expected format: VEND:1, VEND:2, VEND:3, VEND:4, VEND:5",
)
USAGE = "📝 Usage: VEND:1, VEND:2, VEND:3, VEND:4, VEND:5"


class Faults(msgspec.Struct):
    """What is wrong with it."""

    mute: bool = False  # it does what it is told and says nothing
    deaf: bool = False  # what it is sent gets lost on the way
    noise: bytes = b""  # said before each answer
    loses_completion: bool = False  # its last words get lost
    resets_in_vend: bool = False  # its supply breaks down when a motor starts
    busy: bool = False  # it says that it is not ready
    documented: bool = False  # firmware made from the manual: VEND_SUCCESS:3 and nothing else, no DISCOVER
    empty_slots: set[int] = msgspec.field(default_factory=set)  # the manual's firmware tells of these


class OldMachine:
    """The device. `turns` counts each motor's turns, `heard` what it was told."""

    def __init__(self, mac: str = "6CC8404FE03C", faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.turns: Counter[int] = Counter()
        self.heard: list[str] = []
        self.starts = 0
        self._fuses = f"{int.from_bytes(bytes.fromhex(mac), 'little'):x}"
        self._buffer = bytearray()
        self._due: list[tuple[float, Callable[[], bytes]]] = []
        self._moving = False
        self._last_s = self._idle_s = 0.0

    def boot(self, now_s: float) -> None:
        """Power comes on, or its reset is pressed: all is forgotten, and the banner follows."""
        self._buffer.clear()
        self._moving = False
        self._due = [(now_s + BOOT_S, self._banner)]

    def feed(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive; what it answers at once."""
        self._last_s = self._idle_s = now_s
        if self.faults.deaf:
            return b""
        answer = bytearray()
        for byte in data:
            if byte not in b"\r\n":
                self._buffer.append(byte)
                if len(self._buffer) > COMMAND_CHARS_MAX:
                    self._buffer.clear()
                    answer += _said("❌ Error: Command too long, clearing buffer")
                continue
            command = bytes(self._buffer).strip().upper()
            self._buffer.clear()
            if command:
                answer += self._obey(command, now_s)
        return self._audible(bytes(answer))

    def tick(self, now_s: float) -> bytes:
        """Time passes; what it says by itself."""
        said = bytearray()
        while self._due and self._due[0][0] <= now_s:
            said += self._due.pop(0)[1]()
        if now_s - self._last_s > IDLE_AFTER_S and now_s - self._idle_s > IDLE_EVERY_S:
            self._idle_s = now_s
            said += _said("💤 Waiting for commands...")
        return self._audible(bytes(said))

    def _audible(self, said: bytes) -> bytes:
        return b"" if self.faults.mute or not said else self.faults.noise + said

    def _banner(self) -> bytes:
        self.starts += 1
        return ROM_NOISE + (b"" if self.faults.documented else _said(*BANNER))

    def _obey(self, command: bytes, now_s: float) -> bytes:
        text = command.decode("utf-8", "replace")
        self.heard.append(text)
        if self.faults.documented:
            return self._documented(text)
        echo = "📨 Received command: ".encode() + command + END
        if text.startswith("VEND:"):
            return echo + self._vend(text, now_s)
        if text == "RESET":
            self.boot(now_s)
            return echo + _said("🔄 Resetting system...")
        return echo + _said(*self._answer(text), RULE)

    def _answer(self, text: str) -> tuple[str, ...]:
        if text in ("STATUS", "PING"):
            return ("✅ STATUS:ONLINE", "📊 SLOTS:5", "🔋 READY:TRUE", "⚡ FAST_MODE:ENABLED", "UPTIME:12345")
        if text in ("DISCOVER", "IDENTIFY"):
            return (
                "DEVICE_RESPONSE:ESP32_USB_VENDING",
                f"DEVICE_ID:ESP32_USB_{self._fuses}",
                "DEVICE_TYPE:VENDING_MACHINE",
                "COMM_METHOD:USB_SERIAL",
                "FIRMWARE_VERSION:1.1",
                "SLOTS_AVAILABLE:5",
                "STATUS:READY",
            )
        if text in ("QUICK", "FAST"):
            return ("⚡ QUICK_RESPONSE:OK",)
        if text == "HELP":
            return (
                "📋 Available commands:",
                "  VEND:1-5",
                "  STATUS",
                "  DISCOVER",
                "  QUICK",
                "  RESET",
                "  HELP",
            )
        return (f"❌ Error: Unknown command '{text}'", "💡 Type 'HELP' for available commands")

    def _vend(self, text: str, now_s: float) -> bytes:
        slot = int(text[5:]) if text[5:].isascii() and text[5:].isdigit() else 0
        if self._moving or self.faults.busy:
            return _said("❌ Error: System not ready for vending", RULE)
        if not 1 <= slot <= SLOTS:
            return _said(f"❌ Error: Invalid slot number. Must be 1-{SLOTS}", USAGE, RULE)
        self._moving = True
        self.turns[slot] += 1
        said = _said(
            f"🎯 Vending from slot {slot}...", f"✅ VEND_SUCCESS:{slot}", f"⚡ Activating motor for slot {slot}"
        )
        if self.faults.resets_in_vend:
            self.boot(now_s)
            return said
        dispensed = _said(f"📦 Item dispensed from slot {slot}", "💰 Transaction complete!")
        self._due.append((now_s + DISPENSE_S, lambda: dispensed))
        self._due.append((now_s + MOTOR_OFF_S, lambda: self._stopped(slot)))
        return said

    def _stopped(self, slot: int) -> bytes:
        self._moving = False
        if self.faults.loses_completion:
            return b""
        return _said("🛑 Motor deactivated", f"✨ Vending operation completed for slot {slot}", RULE)

    def _documented(self, text: str) -> bytes:
        if text == "STATUS":
            return _said("STATUS_OK:READY:5_SLOTS")
        if not text.startswith("VEND:"):
            return b""
        slot = int(text[5:]) if text[5:].isascii() and text[5:].isdigit() else 0
        if slot in self.faults.empty_slots:
            return _said("ERROR:SLOT_EMPTY")
        if not 1 <= slot <= SLOTS:
            return _said(f"VEND_FAILED:{slot}")
        self.turns[slot] += 1
        return _said(f"VEND_SUCCESS:{slot}")


def _said(*lines: str) -> bytes:
    return b"".join(line.encode() + END for line in lines)
