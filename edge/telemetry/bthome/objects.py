"""What BTHome's numbers stand for: the key of a reading, how its bytes are read, and its unit.

A key is what the reading is called here; a second value of the same kind in one message is `temperature_2`.
"""

from __future__ import annotations

import msgspec


class Measure(msgspec.Struct, frozen=True):
    """A number: little-endian, `size` bytes, times `factor` in units."""

    key: str
    size: int
    factor: float = 1.0
    unit: str = ""
    signed: bool = False


MEASURES = {
    0x01: Measure("battery", 1, 1, "%"),
    0x02: Measure("temperature", 2, 0.01, "°C", signed=True),
    0x03: Measure("humidity", 2, 0.01, "%"),
    0x04: Measure("pressure", 3, 0.01, "hPa"),
    0x05: Measure("illuminance", 3, 0.01, "lx"),
    0x06: Measure("mass", 2, 0.01, "kg"),
    0x07: Measure("mass_lb", 2, 0.01, "lb"),
    0x08: Measure("dew_point", 2, 0.01, "°C", signed=True),
    0x09: Measure("count", 1),
    0x0A: Measure("energy", 3, 0.001, "kWh"),
    0x0B: Measure("power", 3, 0.01, "W"),
    0x0C: Measure("voltage", 2, 0.001, "V"),
    0x0D: Measure("pm2_5", 2, 1, "µg/m³"),
    0x0E: Measure("pm10", 2, 1, "µg/m³"),
    0x12: Measure("co2", 2, 1, "ppm"),
    0x13: Measure("tvoc", 2, 1, "µg/m³"),
    0x14: Measure("moisture", 2, 0.01, "%"),
    0x2E: Measure("humidity", 1, 1, "%"),
    0x2F: Measure("moisture", 1, 1, "%"),
    0x3D: Measure("count", 2),
    0x3E: Measure("count", 4),
    0x3F: Measure("rotation", 2, 0.1, "°", signed=True),
    0x40: Measure("distance_mm", 2, 1, "mm"),
    0x41: Measure("distance", 2, 0.1, "m"),
    0x42: Measure("duration", 3, 0.001, "s"),
    0x43: Measure("current", 2, 0.001, "A"),
    0x44: Measure("speed", 2, 0.01, "m/s"),
    0x45: Measure("temperature", 2, 0.1, "°C", signed=True),
    0x46: Measure("uv_index", 1, 0.1),
    0x47: Measure("volume", 2, 0.1, "L"),
    0x48: Measure("volume_ml", 2, 1, "mL"),
    0x49: Measure("flow_rate", 2, 0.001, "m³/h"),
    0x4A: Measure("voltage", 2, 0.1, "V"),
    0x4B: Measure("gas", 3, 0.001, "m³"),
    0x4C: Measure("gas", 4, 0.001, "m³"),
    0x4D: Measure("energy", 4, 0.001, "kWh"),
    0x4E: Measure("volume", 4, 0.001, "L"),
    0x4F: Measure("water", 4, 0.001, "L"),
    0x50: Measure("timestamp", 4, 1, "s"),
    0x51: Measure("acceleration", 2, 0.001, "m/s²"),
    0x52: Measure("gyroscope", 2, 0.001, "°/s"),
    0x55: Measure("volume_storage", 4, 0.001, "L"),
    0x56: Measure("conductivity", 2, 1, "µS/cm"),
    0x57: Measure("temperature", 1, 1, "°C", signed=True),
    0x58: Measure("temperature", 1, 0.35, "°C", signed=True),
    0x59: Measure("count", 1, signed=True),
    0x5A: Measure("count", 2, signed=True),
    0x5B: Measure("count", 4, signed=True),
    0x5C: Measure("power", 4, 0.01, "W", signed=True),
    0x5D: Measure("current", 2, 0.001, "A", signed=True),
    0x5E: Measure("direction", 2, 0.01, "°"),
    0x5F: Measure("precipitation", 2, 0.1, "mm"),
    0x60: Measure("channel", 1),
    0x61: Measure("rotational_speed", 2, 1, "rpm"),
    0x62: Measure("speed", 4, 0.000001, "m/s", signed=True),
    0x63: Measure("acceleration", 4, 0.000001, "m/s²", signed=True),
    0x64: Measure("light_level", 1),
}

SWITCHES = {
    0x0F: "on",
    0x10: "power_on",
    0x11: "opening",
    0x15: "battery_low",
    0x16: "battery_charging",
    0x17: "carbon_monoxide",
    0x18: "cold",
    0x19: "connected",
    0x1A: "door",
    0x1B: "garage_door",
    0x1C: "gas_detected",
    0x1D: "heat",
    0x1E: "light",
    0x1F: "unlocked",
    0x20: "wet",
    0x21: "motion",
    0x22: "moving",
    0x23: "occupied",
    0x24: "plugged_in",
    0x25: "present",
    0x26: "problem",
    0x27: "running",
    0x28: "unsafe",
    0x29: "smoke",
    0x2A: "sound",
    0x2B: "tamper",
    0x2C: "vibration",
    0x2D: "window",
}
"""True or false, one byte. True is what the key says: the door is open, there is smoke, it runs."""

PACKET_ID = 0x00
BUTTON, DIMMER = 0x3A, 0x3C
TEXT, RAW = 0x53, 0x54  # a length byte, then so many bytes
ABOUT = {0xF0: 2, 0xF1: 4, 0xF2: 3}  # the device's type and firmware: how many bytes, which nobody needs here

PRESSES = {
    0x01: "press",
    0x02: "double_press",
    0x03: "triple_press",
    0x04: "long_press",
    0x05: "long_double_press",
    0x06: "long_triple_press",
    0x80: "hold_press",
}
TURNS = {0x01: -1, 0x02: 1}  # a dimmer turned left or right; the next byte is by how many steps

UNITS = {measure.key: measure.unit for measure in MEASURES.values() if measure.unit}
"""The unit of each key that has one."""


def unit_of(key: str) -> str:
    """The unit of a key, of a second one of its kind too; '' where it has none."""
    stem, _, number = key.rpartition("_")
    return UNITS.get(key) or (UNITS.get(stem, "") if number.isdecimal() else "")
