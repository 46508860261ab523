"""The names an old vending machine goes by, brought to one: its MAC as 12 upper-case hex digits.

It registers as `ESP32_6CC8404FE03C`, confirms as `6C:C8:40:4F:E0:3C`, and on a cable calls itself after its fuses,
which hold the same six bytes in the other order: `ESP32_USB_3ce04f40c86c`.
"""

from __future__ import annotations

import functools
import re

from edge.devices.model import canonical_id

SYSTEM = "vending"  # the older system's name, also of the ids its machines claim
PROFILE = "vending"

KNOWN_IDS = 1024  # remembered, since each machine says its own every 2 s

_PREFIX = "ESP32_"
_FUSES = re.compile(r"esp32_usb_(?P<fuses>[0-9a-f]{9,12})", re.IGNORECASE)
# Printed without leading zeros; 8 digits or fewer are half the number, as some sketches print it: no identity.
_MAC_DIGITS = 12


@functools.lru_cache(maxsize=KNOWN_IDS)
def machine_id(claimed: str) -> str:
    """One name for all that a machine calls itself; what holds no MAC stays as it is."""
    return mac_of(claimed) or claimed


def mac_of(claimed: str) -> str | None:
    """The MAC in what a machine calls itself, None where there is none."""
    fuses = _FUSES.fullmatch(claimed)
    if fuses is not None:
        return bytes.fromhex(fuses["fuses"].rjust(_MAC_DIGITS, "0"))[::-1].hex().upper()
    bare = claimed[len(_PREFIX) :] if claimed.upper().startswith(_PREFIX) else claimed
    return canonical_id(bare)


def old_id(alias: str) -> str:
    """The id as the old page and the machine's own registration write it."""
    return f"{_PREFIX}{alias}" if canonical_id(alias) == alias else alias


def machine_name(alias: str) -> str:
    """What a new machine is called until a technician names it."""
    return f"Vending {alias[-6:]}"
