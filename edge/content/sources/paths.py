"""One text out of an answer, by a path: `current.temperature_2m`, `items[0].title`, `[0].joke`, `["a b"].c`.

A name leads into an object, a number in brackets into a list (from 0; -1 is its last). A name in brackets and
quotes may have dots, brackets or spaces in it. The empty path is the whole answer.
"""

from __future__ import annotations

import math
import re
from typing import Any

from edge.content.sources.plain import plain

PATH_CHARS = 200
STEPS_MAX = 32
NUMBER_BITS = 256  # of a whole number: more digits than any panel has room for
_NAMES_SHOWN, _NAME_CHARS = 8, 30  # in a sentence about what is not there

_STEP = re.compile(
    r"""\[(?P<index>-?[0-9]{1,6})\]
      | \["(?P<quoted>(?:[^"\\]|\\["\\])*)"\]
      | (?P<dot>\.?)(?P<name>[^.\[\]"]+)""",
    re.VERBOSE,
)

Step = str | int


class NoText(Exception):
    """There is no text at this path: why, in a sentence."""


def picked(answer: Any, path: str) -> str:
    """The text that `path` leads to in `answer`, which is decoded JSON: plain, at most 1,000 characters. Nothing
    (null) is the empty text; true and false are these words. Raises NoText, and nothing else."""
    found = answer
    for number, step in enumerate(steps(path)):
        found = _inside(found, step, "the answer" if number == 0 else f"what is before {_said(step)}")
    return _text(found, f"`{path}`" if path else "the answer")


def steps(path: str) -> list[Step]:
    """The names and numbers of a path, in order. Raises NoText for one that is none."""
    if len(path) > PATH_CHARS:
        raise NoText(f"the path is longer than {PATH_CHARS} characters")
    found: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (match["name"] is not None and bool(match["dot"]) != bool(found)):
            raise NoText(f"`{plain(path)}` is no path, at its character {at + 1}")
        if match["index"] is not None:
            found.append(int(match["index"]))
        elif match["quoted"] is not None:
            found.append(re.sub(r"\\(.)", r"\1", match["quoted"]))
        else:
            found.append(match["name"])
        at = match.end()
    if len(found) > STEPS_MAX:
        raise NoText(f"the path has more than {STEPS_MAX} steps")
    return found


def _inside(found: Any, step: Step, where: str) -> Any:
    if isinstance(step, int):
        if not isinstance(found, list):
            raise NoText(f"{where} is {_kind(found)}, so it has no {_said(step)}")
        if not -len(found) <= step < len(found):
            raise NoText(f"{where} is a list of {len(found)}, so it has no {_said(step)}")
        return found[step]
    if not isinstance(found, dict):
        raise NoText(f"{where} is {_kind(found)}, so it has no {_said(step)}")
    if step not in found:
        raise NoText(f"{where} has no {_said(step)}; it has {_names(found)}")
    return found[step]


def _text(found: Any, where: str) -> str:
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str):
        return plain(found)
    if isinstance(found, int) and found.bit_length() <= NUMBER_BITS:
        return str(found)
    if isinstance(found, float) and math.isfinite(found):
        return repr(found) if "e" not in repr(found) else f"{found:.6g}"
    raise NoText(f"{where} is {_kind(found)}, no text and no number")


def _kind(found: Any) -> str:
    if isinstance(found, list):
        return f"a list of {len(found)}"
    if isinstance(found, dict):
        return f"an object with {_names(found)}"
    return {str: "a text", bool: "true or false", int: "a number", float: "a number"}.get(type(found), "nothing")


def _names(found: dict[Any, Any]) -> str:
    """A few of its names, for whoever mistyped one."""
    names = [f"`{plain(str(name))[:_NAME_CHARS]}`" for name in list(found)[:_NAMES_SHOWN]]
    more = ", …" if len(found) > _NAMES_SHOWN else ""
    return ", ".join(names) + more if names else "nothing in it"


def _said(step: Step) -> str:
    return f"[{step}]" if isinstance(step, int) else f"`{plain(step)}`"
