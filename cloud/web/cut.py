"""A page of a list that the API gives whole, since its length is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from edge.serving.routing import number

T = TypeVar("T")
SHOWN = 50


def cut(items: Sequence[T], cursor: str, shown: int = SHOWN) -> tuple[Sequence[T], str]:
    """The items from `cursor` on, and the cursor of the next page, '' when there is none. Raises BadInput."""
    at = number("cursor", cursor) or 0
    return items[at : at + shown], str(at + shown) if at + shown < len(items) else ""
