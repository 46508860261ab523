"""What an editor offers to choose from, as far as head office knows it: sites, devices, keys, documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cloud.web.content.forms import Body, rows_of
from cloud.web.frame import Visit
from cloud.web.site_choice import reached
from edge.errors import Conflict, NotFound
from edge.wire.assets import AssetView
from edge.wire.centre import SiteDevice, SiteView
from edge.wire.centre_content import CentreDocument
from edge.wire.content import DocumentKind, PanelKindView, PictureView, PresetView
from edge.wire.layouts import SELF

MOST = 200  # of each: what has more is typed
DEVICES_ASKED = 8  # whose keys are looked up
ZOOMS = ("fit", "1", "2", "3")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """For which panel a preview is, and how large it is drawn on the page."""

    site: str = ""
    device: str = ""
    panel: str = ""
    zoom: str = "fit"

    def asked(self) -> dict[str, str]:
        """As it stands in an address; what is as usual is left out."""
        told = {"site": self.site, "device": self.device, "panel": self.panel, "zoom": self.zoom}
        return {name: value for name, value in told.items() if value and value != "fit"}


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What there is. `keys`: what each device measures, by what the document calls it; `sites` None: too many to
    list."""

    sites: list[SiteView] | None = None
    devices: list[SiteDevice] = []
    keys: Mapping[str, list[str]] = {}
    assets: list[AssetView] = []
    pictures: list[PictureView] = []
    documents: Mapping[str, list[CentreDocument]] = {}
    kinds: list[PanelKindView] = []
    presets: list[PresetView] = []
    groups: list[str] = []

    def first(self) -> dict[str, str]:
        """What new rows begin with."""
        found = {
            "picture": [one.id for one in self.pictures],
            "source": [one.id for one in self.documents.get("source", [])],
        }
        return {name: ids[0] for name, ids in found.items() if ids}

    def every_key(self) -> list[str]:
        """All keys that are known, by name."""
        return sorted({key for keys in self.keys.values() for key in keys})


def look_of(asked: Mapping[str, str]) -> Look:
    """As an address or a form says it."""
    zoom = asked.get("zoom", "")
    told = {name: asked.get(name, "").strip() for name in ("site", "device", "panel")}
    return Look(**told, zoom=zoom if zoom in ZOOMS else ZOOMS[0])


async def choices(visit: Visit, kind: DocumentKind, body: Body, look: Look) -> Choices:
    """What may be chosen in a document of this kind, at the site of its preview."""
    asked = {"limit": MOST}
    match kind:
        case DocumentKind.LAYOUT:
            devices = await _at(visit, "/v1/devices", look.site)
            return Choices(
                sites=await reached(visit),
                devices=devices,
                keys=await _keys(visit, body, look),
                assets=await _at(visit, "/v1/assets", look.site),
                pictures=(await visit.get("/v1/content/pictures", asked)).items,
                documents={"source": await _documents(visit, "source")},
                kinds=(await visit.get("/v1/content/panel-kinds", asked)).items,
            )
        case DocumentKind.SOURCE:
            return Choices(presets=(await visit.get("/v1/content/presets", asked)).items)
        case DocumentKind.PLAYLIST:
            return Choices(
                sites=await reached(visit),
                pictures=(await visit.get("/v1/content/pictures", asked)).items,
                documents={"layout": await _documents(visit, "layout")},
            )
        case DocumentKind.SCHEDULE:
            groups = (await visit.get("/v1/groups", {"limit": MOST})).items
            devices = [one for one in await _at(visit, "/v1/devices", look.site) if one.panel]
            return Choices(
                sites=await reached(visit),
                devices=devices,
                pictures=(await visit.get("/v1/content/pictures", asked)).items,
                documents={name: await _documents(visit, name) for name in ("layout", "playlist")},
                groups=[group.name for group in groups],
            )


async def _documents(visit: Visit, kind: str) -> list[CentreDocument]:
    found: list[CentreDocument] = (await visit.get("/v1/content", {"kind": kind, "limit": MOST})).items
    return found


async def _at(visit: Visit, path: str, site: str) -> list[Any]:
    """A list of a site's things; of all sites where none is named, nothing where there is no such site."""
    try:
        return list((await visit.get(path, {"site": site, "limit": MOST})).items)
    except NotFound:
        return []


async def _keys(visit: Visit, body: Body, look: Look) -> Mapping[str, list[str]]:
    """What the devices of a layout measure. `self` is the device of the preview."""
    found: dict[str, list[str]] = {}
    for name in _named(body):
        device = look.device if name == SELF else name
        if not device or len(found) >= DEVICES_ASKED:
            continue
        try:
            latest = await visit.get("/v1/devices/{id}/latest", {"site": look.site}, id=device)
        except (NotFound, Conflict):
            continue
        found[name] = [one.key for one in latest.items]
    return found


def _named(body: Body) -> Iterable[str]:
    """The devices that a layout names, each once; the preview's own first."""
    rows = rows_of(DocumentKind.LAYOUT, body)
    return dict.fromkeys([SELF, *(row["device"] for row in rows if isinstance(row.get("device"), str))])
