"""What a board's owner likes to read: kinds of jokes, riddles and news, as boards and the old page say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.devices.model import Device, Facts
from edge.errors import BadInput

KINDS: dict[str, tuple[str, ...]] = {
    "jokes": ("dad_jokes", "programming_jokes", "clean_jokes"),
    "riddles": ("easy_riddles", "logic_riddles", "math_riddles"),
    "news": ("tech_news", "world_news", "science_news"),
}
CHOSEN, WISHED = "preferences", "wishes"  # by a person on the old page; by whoever filled in the board's setup page
MADE = "wishes_made"  # those that a dashboard was made of, so that one which somebody removes stays removed

Tastes = tuple[str, ...]  # subcategories, in the order of KINDS


def read(said: object) -> Tastes:
    """`{"jokes": ["dad_jokes"], …}`. Raises BadInput that names what is not known."""
    if not isinstance(said, dict):
        raise BadInput("The field preferences is an object with jokes, riddles and news.")
    chosen: set[str] = set()
    for kind, names in said.items():
        if kind not in KINDS or not isinstance(names, list):
            raise BadInput(f"preferences has lists named {', '.join(KINDS)}; {str(kind)[:40]!r} is none.")
        strange = [name for name in names if name not in KINDS[kind]]
        if strange:
            raise BadInput(f"{kind} are {', '.join(KINDS[kind])}; {str(strange[0])[:40]!r} is none of them.")
        chosen |= set(names)
    return _in_order(chosen)


def wished(body: Mapping[str, Any]) -> Facts:
    """What a board says with its registration, as facts: what is not known is left out."""
    said = body.get("preferences")
    if not isinstance(said, dict):
        return {}
    names = [name for kind in KINDS if isinstance(said.get(kind), list) for name in said[kind]]
    tastes = _in_order({name for name in names if isinstance(name, str)})
    return {WISHED: " ".join(tastes)} if tastes else {}


def of(device: Device) -> Tastes:
    """Of a board: what a person has chosen for it, else what was chosen when it was set up."""
    chosen = device.facts.get(CHOSEN)
    return _in_order(set(str(device.facts.get(WISHED) or "" if chosen is None else chosen).split()))


def new_wishes(device: Device) -> Tastes:
    """What was chosen when the board was set up, where no dashboard was made of it and nobody has chosen since."""
    wishes = device.facts.get(WISHED)
    if device.facts.get(CHOSEN) is not None or wishes == device.facts.get(MADE):
        return ()
    return _in_order(set(str(wishes or "").split()))


def as_facts(tastes: Tastes) -> Facts:
    """As they are kept with a device."""
    return {CHOSEN: " ".join(tastes)}


def shown(tastes: Tastes) -> dict[str, list[str]]:
    """As the old page reads them."""
    return {kind: [name for name in names if name in tastes] for kind, names in KINDS.items()}


def _in_order(chosen: set[str]) -> Tastes:
    return tuple(name for names in KINDS.values() for name in names if name in chosen)
