"""Panels to look at: one that is right, one that is behind, one without anything scheduled; and documents."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

from edge.wire.content import DocumentKind, DocumentView, PanelView, VersionView
from tests.fakes.hub_content import FakeContent
from tests.tui.site_data import at

MENU, CLOSED = "5be1" * 16, "77aa" * 16


def panel(device: str, name: str, **changes: Any) -> PanelView:
    """An e-paper board that shows what it should."""
    facts: dict[str, Any] = {
        "device": device, "name": name, "panel": "eink-800x480", "width": 800, "height": 480, "screen": "menu",
        "version": 4, "playlist": "canteen", "schedule": "hall", "wanted": MENU, "until": at(-116),
        "refresh_s": 300, "shown": MENU, "shown_screen": "menu", "shown_version": 4, "shown_at": at(42),
        "evidence": "told", "sharp": True, "behind": "", "notes": [],
    }  # fmt: skip
    return PanelView(**(facts | changes))


def document(kind: DocumentKind, id: str, **changes: Any) -> DocumentView:
    """One that is published as it is."""
    facts: dict[str, Any] = {
        "kind": kind, "id": id, "title": "", "revision": 6, "version": 4, "draft": False, "conflict": 0,
        "changed_at": at(300), "changed_by": "anna", "published_at": at(290), "published_by": "anna", "used_by": 1,
    }  # fmt: skip
    return DocumentView(**(facts | changes))


def drawing() -> Image.Image:
    """A screen with a title, a rule and a chart."""
    image = Image.new("L", (800, 480), 255)
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, 520, 130), fill=0)
    draw.rectangle((40, 180, 760, 190), fill=0)
    for number, height in enumerate((60, 110, 170, 220, 190, 120, 90)):
        draw.rectangle((60 + 100 * number, 440 - height, 120 + 100 * number, 440), fill=85 if number % 2 else 0)
    return image


def fill(made: FakeContent) -> None:
    """A canteen."""
    views = [
        panel("menu-board", "Menu board"),
        panel(
            "door", "Door sign", shown=CLOSED, shown_screen="closed", shown_version=2, shown_at=at(900),
            sharp=False, evidence="fetched", behind="It has not looked since 21:04; it sleeps until 12:10.",
        ),
        panel(
            "spare", "Spare panel", screen="", version=0, playlist="", schedule="", wanted="", until=None, shown="",
            shown_screen="", shown_version=0, shown_at=None, evidence="", sharp=False,
        ),
    ]  # fmt: skip
    made.panels = {view.device: view for view in views}
    made.pictures = {"menu-board": drawing(), "door": drawing()}
    made.documents = {
        "layouts/menu": document(DocumentKind.LAYOUT, "menu", title="What there is to eat", draft=True),
        "layouts/closed": document(DocumentKind.LAYOUT, "closed", version=2, conflict=3),
        "playlists/canteen": document(DocumentKind.PLAYLIST, "canteen"),
        "schedules/hall": document(DocumentKind.SCHEDULE, "hall", version=0, draft=True, published_at=None,
                                   published_by="", used_by=0),
        "sources/weather": document(DocumentKind.SOURCE, "weather", title="Weather in Cologne",
                                    published_by="centre: head@example.com"),
    }  # fmt: skip
    made.versions = [
        VersionView(version=4, hash="a" * 64, state="published", at=at(290), by="anna", note="", back_to=0),
        VersionView(version=3, hash="b" * 64, state="earlier", at=at(2000), by="bert", note="with soup", back_to=0),
        VersionView(version=2, hash="c" * 64, state="conflict", at=at(3000), by="centre: head@example.com", note="",
                    back_to=0),
    ]  # fmt: skip
