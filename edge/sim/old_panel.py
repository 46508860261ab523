"""What the older sketches do with what they are told to show (docs/compat/personalcms.md).

Each appends what it is told to its server's address, `null` where it is told nothing at all. OTA_Base fetches when
that text is another one. The others have an e-paper panel: once they show their first dashboard they say nothing
more until a button is pressed; with a picture on they ask for ever, and fetch it anew each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from edge.sim.bitmap import as_sketch, png_of
from edge.sim.vending_http import Reply

Fetch = Callable[[str], Awaitable[Reply]]
DASHBOARD, IMAGE = "dashboard", "image"


class OldPanel:
    """A panel. `png`: what it shows, b'' for nothing yet; `fetched` counts downloads by what was told."""

    def __init__(self, fetch: Fetch, out: Path | None = None) -> None:
        self._fetch, self.out = fetch, out
        self.mode, self.quiet = DASHBOARD, False
        self.png = b""
        self.fetched: Counter[str] = Counter()
        self.loaded: dict[str, bool] = {DASHBOARD: False, IMAGE: False}
        self._urls = {DASHBOARD: "", IMAGE: ""}

    async def of_base(self, body: dict[str, Any]) -> None:
        """OTA_Base was answered: both, each when it is another one. An answer that is none changes nothing."""
        for what, url in ((DASHBOARD, _text(body, "dashboard_url")), (IMAGE, _first(body, "images"))):
            if body and url and (url != self._urls[what] or not self.loaded[what]):
                self._urls[what] = url
                self.loaded[what] = await self._show(url, shown=what == self.mode)

    async def of_paper(self, body: dict[str, Any]) -> None:
        """A sketch with e-paper was answered."""
        if body.get("success") is not True:
            return
        images = body.get("assigned_images")
        self._urls = {
            DASHBOARD: _text(body, "dashboard_url"),
            IMAGE: _first(body, "assigned_images") if isinstance(images, list) and images else "",
        }
        if self._urls[self.mode]:
            self.loaded[self.mode] = await self._show(self._urls[self.mode])
            self.quiet = self.mode == DASHBOARD and self.loaded[DASHBOARD]

    async def press(self) -> None:
        """The button for the other mode."""
        self.mode = IMAGE if self.mode == DASHBOARD else DASHBOARD
        self.quiet = False
        for _ in range(2 if self.mode == IMAGE else 1):
            if self._urls[self.mode]:
                self.loaded[self.mode] = await self._show(self._urls[self.mode])
        self.quiet = self.mode == DASHBOARD and self.loaded[DASHBOARD]

    async def _show(self, url: str, *, shown: bool = True) -> bool:
        """Whether all of it came; else it shows what it showed."""
        self.fetched[url] += 1
        reply = await self._fetch(url)
        length = int(reply.fields.get("content-length", "-1"))
        rows = as_sketch(reply.raw, length) if reply.code == 200 else None
        if rows is None:
            return False
        if shown:
            self.png = png_of(rows)
            if self.out is not None:
                self.out.write_bytes(self.png)
        return True


def _text(body: dict[str, Any], name: str) -> str:
    """A field as ArduinoJson makes a text of it."""
    value = body.get(name)
    return "null" if value is None else str(value)


def _first(body: dict[str, Any], name: str) -> str:
    """The address of the first picture."""
    images = body.get(name)
    first = images[0] if isinstance(images, list) and images else {}
    return _text(first if isinstance(first, dict) else {}, "bmp_url")
