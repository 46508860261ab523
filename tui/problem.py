"""What a refusal of the hub becomes here: the error of edge/errors.py with the same code, its hint kept."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from edge.errors import OutpostError, RateLimited
from edge.wire.views import Problem

LONGEST_BODY = 300  # characters of a body that is not a problem, to quote


def from_answer(status: int, body: bytes, retry_after_s: float = 1.0) -> OutpostError:
    """The error that an answer of `status` >= 400 stands for."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.MsgspecError:
        quoted = body[:LONGEST_BODY].decode("utf-8", "replace").strip()
        return _by_status(status)(f"the hub answered {status}: {quoted or 'nothing more'}")
    kind = CODES.get(problem.code, OutpostError)
    if kind is RateLimited:
        return RateLimited(problem.detail or problem.title, retry_after_s=retry_after_s)
    error = kind(problem.detail or problem.title)
    if problem.hint:
        error.advice = problem.hint
    return error


def _tree(root: type[OutpostError]) -> Iterator[type[OutpostError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


CODES: dict[str, type[OutpostError]] = {}
"""The most general error of each code: a room's own kind of one is its own business."""
for _kind in _tree(OutpostError):
    CODES.setdefault(_kind.code, _kind)


def _by_status(status: int) -> type[OutpostError]:
    return next((kind for kind in CODES.values() if kind.status == status), OutpostError)
