"""Which board is behind an address of the site's own network: its MAC, as the kernel's table of neighbours has it.

Only for addresses without a router in between; what is not in the table is not known.
"""

from __future__ import annotations

from pathlib import Path

from edge.devices.model import canonical_id

TABLE = Path("/proc/self/net/arp")
COMPLETE = 0x2  # the flag of an entry whose MAC was learnt
NONE = "0" * 12


def mac_of(address: str, table: Path = TABLE) -> str:
    """The MAC behind an address as 12 upper-case hex digits, '' where it is not known."""
    try:
        return found(address, table.read_text("ascii", "replace"))
    except OSError:
        return ""


def found(address: str, text: str) -> str:
    """The MAC of an address in the kernel's table: IP address, HW type, flags, HW address, mask, device."""
    for row in text.splitlines()[1:]:
        fields = row.split()
        if len(fields) >= 4 and fields[0] == address and _flags(fields[2]) & COMPLETE:
            mac = canonical_id(fields[3]) or ""
            return "" if mac == NONE else mac
    return ""


def _flags(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return 0
