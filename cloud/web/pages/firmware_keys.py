"""Whose signatures on firmware are trusted at head office."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

from cloud.web.confirming import confirm
from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.listing import Listing
from cloud.web.words import isolated
from edge.errors import NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.updates import FirmwareKeyView

HERE = ROOT + "/firmware/keys"
COLUMNS = ("id", "name", "created_at", "created_by")


class FirmwareKeysPage:
    """/office/firmware/keys, and the question behind each."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        here, remove = "/firmware/keys", "/firmware/keys/{key}/remove"
        return [
            PageRoute("GET", here, self.show, Role.VIEWER, tables={"keys": self.keys}),
            PageRoute("POST", here, self.trust, Role.ADMIN),
            PageRoute("GET", remove, self.ask_to_remove, Role.ADMIN),
            PageRoute("POST", remove, self.remove, Role.ADMIN),
        ]

    async def show(self, visit: Visit) -> Result:
        """All of them."""
        return await _shown(visit)

    def keys(self, visit: Visit) -> Listing:
        """The same as a file."""
        return Listing("firmware-keys", COLUMNS, _rows(visit))

    async def trust(self, visit: Visit) -> Result:
        """One more."""
        body = {
            "name": visit.form.get("name", "").strip(),
            "pem": visit.form.get("pem", "").replace("\r\n", "\n").strip() + "\n",
        }
        try:
            await visit.act("POST", "/v1/firmware-keys", body)
        except OutpostError as error:
            return await _shown(visit, error)
        return Went(HERE, said="firmware_key_trusted")

    async def ask_to_remove(self, visit: Visit) -> Result:
        """Are you sure?"""
        key, words = await _key(visit), visit.words
        says = [words("firmware_keys.remove_does"), words("firmware_keys.remove_keeps")]
        title = words("firmware_keys.remove_title", name=isolated(key.name))
        return confirm(title, says, button=words("firmware_keys.remove"), back=HERE)

    async def remove(self, visit: Visit) -> Result:
        """Trust it no more."""
        with contextlib.suppress(NotFound):
            await visit.act("DELETE", "/v1/firmware-keys/{key}", key=(await _key(visit)).id)
        return Went(HERE, said="firmware_key_removed")


async def _key(visit: Visit) -> FirmwareKeyView:
    found: list[FirmwareKeyView] = (await visit.get("/v1/firmware-keys")).items
    for key in found:
        if key.id == visit.param("key"):
            return key
    raise NotFound("This key is not trusted here.")


async def _shown(visit: Visit, refused: OutpostError | None = None) -> Shown:
    values = {
        "keys": (await visit.get("/v1/firmware-keys")).items,
        "name": visit.form.get("name", ""),
        "pem": visit.form.get("pem", ""),
        "may": visit.may(Role.ADMIN) and not visit.member.sites,
        "refused": refused,
    }
    return Shown("firmware_keys.html", values, status=refused.status if refused else 200)


async def _rows(visit: Visit) -> AsyncIterator[Sequence[Row]]:
    found: list[FirmwareKeyView] = (await visit.get("/v1/firmware-keys")).items
    yield [tuple(getattr(key, name) for name in COLUMNS) for key in found]
