"""Jokes and riddles that come with Outpost: another one each day, the same on all panels, without the internet."""

from __future__ import annotations

import functools
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("built_in.toml")


def today(preset: str, day: date) -> dict[str, Any]:
    """What the built-in `preset` says on `day`, in the form that its fields' paths lead into."""
    if preset == "built_in_jokes":
        return {"joke": _turn("jokes", day)}
    riddle, before = _turn("riddles", day), _turn("riddles", date.fromordinal(max(1, day.toordinal() - 1)))
    return {"riddle": riddle[0], "answer": riddle[1], "before": before[1]}


def _turn(kind: str, day: date) -> Any:
    every = lists()[kind]
    return every[day.toordinal() % len(every)]


@functools.cache
def lists() -> dict[str, list[Any]]:
    """`jokes`: texts; `riddles`: question and answer."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
