"""Firmware: what there is to run; and an upload, which is looked at before it is kept, and told what was seen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from cloud.web.frame import ROOT, PageRoute, Result, Shown, Visit, Went
from cloud.web.links import artifact_page, link
from cloud.web.listing import Listing
from cloud.web.receiving import Received
from edge.errors import OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.updates.images.chips import BY_NAME
from edge.wire.firmware import Kind
from edge.wire.updates import NOTES_CHARS, ArtifactView

HERE = ROOT + "/firmware"
SHOWN = 50
KINDS = tuple(kind.value for kind in Kind)
COLUMNS = (
    "id", "kind", "target", "chip", "version", "security", "size", "files", "sha256", "md5", "signed_by",
    "legacy_only", "notes", "created_at", "created_by", "used_by",
)  # fmt: skip
SAID = ("target", "chip", "version", "notes")
OF_AN_IMAGE = SAID[:3]  # what a bare image does not say of itself


class FirmwarePage:
    """/office/firmware and /office/firmware/upload. `most`: bytes one file may have."""

    def __init__(self, most: int) -> None:
        self._most = most

    def all(self) -> list[PageRoute]:
        """Its routes."""
        tech, upload = Role.TECHNICIAN, "/firmware/upload"
        return [
            PageRoute("GET", "/firmware", self.show, Role.VIEWER, tables={"artifacts": self.artifacts}),
            PageRoute("GET", upload, self.ask, tech),
            PageRoute("POST", upload, self.upload, tech, receives=True),
        ]

    async def show(self, visit: Visit) -> Result:
        """What there is, the newest first."""
        asked, cursor = _asked(visit), visit.query("cursor")
        page = await visit.get("/v1/artifacts", asked | {"limit": SHOWN, "cursor": cursor})
        return Shown(
            "firmware.html",
            {
                "artifacts": page.items,
                "asked": asked,
                "kinds": KINDS,
                "first": link(HERE, asked) if cursor else "",
                "next": link(HERE, asked, cursor=page.next) if page.next else "",
                "query": link("", asked),
                "may": visit.may(Role.TECHNICIAN),
            },
        )

    def artifacts(self, visit: Visit) -> Listing:
        """All of them, as a file."""
        return Listing("artifacts", COLUMNS, _rows(visit.every("/v1/artifacts", _asked(visit))))

    async def ask(self, visit: Visit) -> Result:
        """The form."""
        return self._form({}, None)

    async def upload(self, visit: Visit) -> Result:
        """Take a file in, and go where it is told what was looked at."""
        fields: Mapping[str, str] = {}
        try:
            form = Received(visit.request, self._most)
            fields = await form.fields()
            said = {name: fields.get(name, "").strip() for name in SAID}
            made, new = await visit.give("/v1/artifacts", said, form.file)
        except OutpostError as error:
            return self._form(fields, error)
        return Went(artifact_page(made.id), said="artifact_added" if new else "artifact_known")

    def _form(self, fields: Mapping[str, str], refused: OutpostError | None) -> Shown:
        values = {
            "typed": {name: fields.get(name, "") for name in SAID},
            "opened": any(fields.get(name, "").strip() for name in OF_AN_IMAGE),
            "chips": tuple(BY_NAME),
            "most": self._most,
            "notes_chars": NOTES_CHARS,
            "refused": refused,
        }
        return Shown("firmware_upload.html", values, status=refused.status if refused else 200)


def _asked(visit: Visit) -> dict[str, object]:
    return {"target": visit.query("target").strip(), "kind": visit.query("kind")}


async def _rows(pages: AsyncIterator[list[ArtifactView]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [
            tuple("; ".join(one.signed_by) if name == "signed_by" else getattr(one, name) for name in COLUMNS)
            for one in page
        ]
