"""Content in a centre of three sites: devices with panels and what they measure, documents, a picture, and what the
hubs tell of all that."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from edge.assets.model import State
from edge.clock import iso
from edge.content.documents import model
from edge.wire.content import DocumentKind
from tests.filled_centre import HOUR_US, Filled
from tests.running_centre import RunningCentre
from tests.web.filled_assets import FilledAssets

SITES = ("lyon", "pune", "graz")  # the last is away
PANEL = "eink-800x480"


def photo(size: int = 200) -> bytes:
    """A picture with greys in it."""
    out = io.BytesIO()
    Image.radial_gradient("L").resize((size, size)).save(out, "PNG")
    return out.getvalue()


def words(text: str, **more: Any) -> dict[str, Any]:
    """A layout that says something."""
    box = {"x": 5, "y": 5, "w": 90, "h": 40}
    return {"panel": PANEL, "elements": [{"kind": "text", "box": box, "text": text, **more}]}


class FilledContent:
    """Writes it. `picture`: the id of the one there is."""

    def __init__(self, centre: RunningCentre) -> None:
        self.centre, self.filled = centre, Filled(centre.centre.db)
        self.now_us = centre.centre.clock.now().at_us
        self.picture = ""

    async def sites(self) -> None:
        """Each has a display that measures too, and an asset."""
        for number, slug in enumerate(SITES, 1):
            seen_us = self.now_us - (HOUR_US if slug == "graz" else 0)
            await self.filled.site(number, slug, seen_us=seen_us, timezone="Europe/Paris")
            told = {"name": f"{slug.title()} hall", "kind": "eink", "panel": PANEL}
            await self.filled.device(number, f"{slug}-eink", at_us=seen_us, **told)
            latest = [
                {"key": "temperature", "value": 21.4, "at": iso(seen_us), "age_s": 1.0, "quality": "good"},
                {"key": "humidity", "value": 48, "at": iso(seen_us), "age_s": 1.0, "quality": "good"},
            ]
            await self.filled.state(number, "latest", f"{slug}-eink", latest, at_us=seen_us)
        assets = FilledAssets(self.filled, 1, "Europe/Paris", self.now_us)
        await assets.asset("press-1", [(self.now_us - HOUR_US, State.RUNNING)], name="Press 1", device="lyon-eink")

    async def panel(self, site: int, *, sharp: bool, screen: str = "menu", **more: Any) -> None:
        """What a hub tells of its panel."""
        device = f"{SITES[site - 1]}-eink"
        shown = {"shown": "a" * 64, "shown_screen": screen, "shown_version": 1, "shown_at": iso(self.now_us)}
        name = f"{SITES[site - 1].title()} hall"
        view = {
            "device": device, "name": name, "panel": PANEL, "width": 800, "height": 480,
            "screen": screen, "version": 1, "playlist": "", "schedule": "all", "wanted": "a" * 64, "until": None,
            "refresh_s": 300, **shown, "evidence": "told", "sharp": sharp,
            "behind": "" if sharp else "It fetches the picture.", "notes": [], **more,
        }  # fmt: skip
        await self.filled.state(site, "panel", device, view, device=device, at_us=self.now_us)

    async def published(self, site: int, name: str, body: dict[str, Any], *, by: str = "user:mia") -> None:
        """What a hub tells of a layout that is published there."""
        read = model.read(DocumentKind.LAYOUT, body)
        view = {
            "kind": "layout", "id": name, "title": name.title(), "revision": 1, "version": 1, "draft": False,
            "conflict": 0, "changed_at": iso(self.now_us), "changed_by": by, "published_at": iso(self.now_us),
            "published_by": by, "used_by": 0, "hash": model.hash_of(read), "published": body,
        }  # fmt: skip
        await self.filled.state(site, "document", f"layout/{name}", view, at_us=self.now_us)

    async def document(self, kind: str, name: str, body: dict[str, Any], *, title: str = "") -> None:
        """A draft at head office."""
        wanted = {"body": body, "revision": 0, "title": title or name.title()}
        made = await self.centre.ask("PUT", f"/v1/content/{kind}/{name}", wanted)
        assert made.status == 200, made.body

    async def documents(self) -> None:
        """One of each kind, the layout published at head office."""
        made = await self.centre.ask("POST", "/v1/content/pictures?name=Gradient", data=photo())
        assert made.status == 201, made.body
        self.picture = made.body["id"]
        await self.document("layout", "menu", words("Soup of the day"))
        done = await self.centre.ask("POST", "/v1/content/layout/menu/publish", {"revision": 1})
        assert done.status == 200, done.body
        entries = [{"layout": "menu", "seconds": 30}, {"picture": self.picture, "seconds": 20}]
        await self.document("playlist", "day", {"entries": entries})
        rules = [{"layout": "menu", "days": [1, 2, 3, 4, 5], "hours": "06:00-22:00"}, {"picture": self.picture}]
        await self.document("schedule", "all", {"devices": ["lyon-eink"], "rules": rules})
        needs = {"latitude": "45.76", "longitude": "4.84"}
        await self.document("source", "weather", {"preset": "weather", "needs": needs})

    async def everything(self) -> None:
        """All of it."""
        await self.sites()
        await self.documents()
        await self.panel(1, sharp=True)
        await self.panel(2, sharp=False)
        await self.published(1, "menu", words("Soup of the day"))
        await self.published(2, "canteen", words("Written at Pune"))
