"""What apps of the older systems send and are answered, as hub and centre both have it.

The payment displays' page names agents and reads sentences; the vending page counts slots in its own way.
"""

from __future__ import annotations

import ipaddress
import re

AGENT_CHARS = 128
SHARED_AGENT = "1"  # every user whom the old page cannot identify

NIC_SERVICE, NIC_VERSION = "NIC Device API", "1.0.0"  # what the old clients were built against
NO_DEVICE = "No online device linked to this agent"
NOT_SEATED = {
    "held": "Another agent sits at this display. A technician can seat you there.",
    "no-display": "No display is known for this computer. A technician can seat you at one.",
    "offline": "The display at this desk is offline. Check its cable and its program.",
}
"""What an agent is told who may not have the display he asked for, by the reason."""

OLD_SLOTS = 5  # of every machine of the older vending system; its sketch refuses any other number
_SHELF = re.compile(r"([A-C])([1-3])", re.IGNORECASE)  # rows of three, counted through
_THINGS_ID = re.compile(r"[0-9a-fA-F]{24}")


def agent_of(raw: object) -> str | None:
    """An agent's id as it is compared: an opaque string, trimmed; e-mail addresses in lower case.

    `24` and `"24"` are one agent, also when JSON says 24.0. None for anything else than a short text or a number,
    and for what counts as absent.
    """
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    text = str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)
    text = text.strip()
    if not 1 <= len(text) <= AGENT_CHARS or not text.isprintable():
        return None
    return text.casefold() if "@" in text else text


def is_shared(agent: str) -> bool:
    """Whether this is one of the users whom the page cannot identify, told apart by their address."""
    name, _, address = agent.partition("@")
    if name != SHARED_AGENT:
        return False
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def number_or_text(text: str) -> int | float | str:
    """An id or amount as the old server sent it on: a number where it reads as one."""
    if re.fullmatch(r"0|-?[1-9]\d{0,14}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d{1,12}\.\d{1,6}", text) else text


def slot_of(wanted: object) -> int | None:
    """The slot that the vending page or a script means, None for one that no machine has."""
    if isinstance(wanted, str) and (shelf := _SHELF.fullmatch(wanted)):
        wanted = "ABC".index(shelf[1].upper()) * 3 + int(shelf[2])
    if isinstance(wanted, str) and wanted.isascii() and wanted.isdigit() and len(wanted) == 1:
        wanted = int(wanted)
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= OLD_SLOTS:
        return None
    return wanted


def things_id(text: str) -> str | None:
    """`text` as an id of the sensors-and-switches platform, 24 hex digits in lower case; None for any other."""
    return text.lower() if _THINGS_ID.fullmatch(text) else None


def switch_of(asked: object) -> int | None:
    """0 or 1 out of what apps send: 0, 1, true, false, "0", "1"; None for anything else."""
    if isinstance(asked, int) and asked in (0, 1):
        return int(asked)
    return int(asked) if isinstance(asked, str) and asked in ("0", "1") else None
