"""In what devices measure, as far as the name of a key says it: our firmware's names, and endings people use."""

from __future__ import annotations

NAMES = {"temperature": "°C", "humidity": "%", "pressure": "hPa", "voltage": "V", "current": "A", "power": "W",
         "battery": "V", "rssi": "dBm", "weight": "kg", "distance": "cm", "light": "lx"}  # fmt: skip
ENDINGS = {"c": "°C", "f": "°F", "pct": "%", "v": "V", "mv": "mV", "a": "A", "ma": "mA", "w": "W", "kw": "kW",
           "wh": "Wh", "kwh": "kWh", "hpa": "hPa", "pa": "Pa", "bar": "bar", "hz": "Hz", "dbm": "dBm",
           "ppm": "ppm", "lx": "lx", "mm": "mm", "cm": "cm", "m": "m", "g": "g", "kg": "kg", "l": "l", "ml": "ml",
           "s": "s", "ms": "ms", "us": "µs", "bytes": "B"}  # fmt: skip


def unit_of(key: str) -> str:
    """The unit of `temperature` or of `flow_c`; '' where nobody said one."""
    name = key.lower()
    _, parted, ending = name.rpartition("_")
    return NAMES.get(name) or (ENDINGS.get(ending, "") if parted else "")
