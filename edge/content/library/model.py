"""One uploaded picture as the hub keeps it."""

from __future__ import annotations

import msgspec


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that was looked at and kept. `number` rises in the order they came; `kind` is `png` or `jpeg`.

    `notes`: what was done to it, in sentences. `clock`: which clock gave `at_us`, where nothing had set it.
    """

    number: int
    sha256: str
    name: str
    kind: str
    width: int
    height: int
    size: int
    colour: bool
    notes: tuple[str, ...]
    at_us: int
    clock: str | None
    by: str

    @property
    def content_type(self) -> str:
        """Its media type."""
        return f"image/{self.kind}"
