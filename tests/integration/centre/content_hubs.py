"""Hubs of a test's centre that take documents over and tell what they have, as the test says."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from edge.content.documents import model
from edge.wire.content import DocumentKind
from tests.integration.centre.update_hubs import UpdateHub, site_with
from tests.integration.running_hub import Answer
from tests.running_centre import RunningCentre

PICTURE_ROUTE = "/v1/content/pictures"


def text_layout(text: str, picture: str = "", source: str = "") -> dict[str, Any]:
    """A layout that says something, and shows a picture."""
    box = {"x": 0, "y": 0, "w": 100, "h": 50}
    elements: list[dict[str, Any]] = [{"kind": "text", "box": box, "text": text}]
    if picture:
        elements.append({"kind": "picture", "box": box, "picture": picture})
    if source:
        elements.append({"kind": "source", "box": box, "source": source})
    return {"elements": elements}


def playlist(*layouts: str) -> dict[str, Any]:
    """These in turn."""
    return {"entries": [{"layout": one} for one in layouts]}


def png(shade: int = 0, size: int = 40) -> bytes:
    """A picture of one shade."""
    out = io.BytesIO()
    Image.new("L", (size, size), shade).save(out, "PNG")
    return out.getvalue()


def noise(size: int = 900) -> bytes:
    """A picture of some hundred kilobytes."""
    out = io.BytesIO()
    Image.effect_noise((size, size), 90).save(out, "PNG")
    return out.getvalue()


async def save(
    where: Any, kind: str, document: str, body: dict[str, Any], *, revision: int = 0, key: str = "technician"
) -> int:
    """Save a draft, at a hub or at the centre; its revision."""
    wanted = {"body": body, "revision": revision, "title": document.title()}
    answer = await where.ask("PUT", f"/v1/content/{kind}/{document}", wanted, key=key)
    assert answer.status == 200, answer.body
    return int(answer.body["revision"])


async def publish(
    centre: RunningCentre, kind: str, document: str, key: str = "technician", **wanted: Any
) -> Answer:
    """Publish at sites."""
    return await centre.ask("POST", f"/v1/content/{kind}/{document}/publish", wanted, key=key)


async def upload(centre: RunningCentre, data: bytes, name: str = "picture") -> str:
    """A picture at head office; its id."""
    answer = await centre.ask("POST", f"{PICTURE_ROUTE}?name={name}", data=data, key="technician")
    assert answer.status in (200, 201), answer.body
    return str(answer.body["id"])


async def stand(centre: RunningCentre, kind: str, document: str, site: str, key: str = "viewer") -> dict[str, Any]:
    """How a site stands with a document."""
    answer = await centre.get(f"/v1/content/{kind}/{document}/sites/{site}", key=key)
    assert answer.status == 200, answer.body
    return dict(answer.body)


class ContentHub:
    """A hub with documents of its own."""

    def __init__(self, hub: UpdateHub) -> None:
        self.hub = hub

    @property
    def site(self) -> str:
        return self.hub.site

    async def tell(
        self, kind: str, document: str, body: dict[str, Any], *, by: str = "ann", version: int = 1
    ) -> str:
        """It has this published; the hash."""
        of = DocumentKind(kind)
        digest = model.hash_of(model.read(of, body))
        at = "2026-11-21T10:00:00.000Z"
        view = {
            "kind": kind, "id": document, "title": document.title(), "revision": 1, "version": version,
            "draft": False, "conflict": 0, "changed_at": at, "changed_by": by, "published_at": at,
            "published_by": by, "used_by": 0, "hash": digest, "published": body,
        }  # fmt: skip
        await self.hub.tell_state("document", f"{kind}/{document}", view)
        return digest

    async def take(self, step: str = "applied", **said: Any) -> list[dict[str, Any]]:
        """Take over what waits, and let each come to that end."""
        found = await self.hub.take()
        for body in found:
            ended = {"step": step, "kind": body["kind"], "id": body["id"], "hash": body["hash"], **said}
            await self.hub.say("content.order", body["order"], **ended)
            if step == "applied":
                await self.tell(body["kind"], body["id"], body["body"], by="centre:ann", version=2)
        return found

    async def fetch(self, picture: str, **headers: str) -> Answer:
        """A picture, as a hub asks for it."""
        return await self.hub.fetch(f"../pictures/{picture}", **headers)


async def content_site(centre: RunningCentre) -> ContentHub:
    """A new site."""
    return ContentHub(await site_with(centre, "panel-1"))
