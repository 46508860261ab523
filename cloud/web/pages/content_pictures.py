"""Pictures: uploaded, and told in words what was done to them; where each is used; and its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from cloud.web.confirming import confirm
from cloud.web.content.asking import HERE, document_page
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.links import link, name_of
from cloud.web.listing import Listing
from cloud.web.receiving import Received
from cloud.web.words import isolated
from edge.errors import Conflict, Forbidden, NotFound, OutpostError
from edge.serving.roles import Role
from edge.serving.table import Row
from edge.wire.content import PICTURE_BYTES, PictureView

PLACE = HERE + "/pictures"
SHOWN = 24
USERS = 100  # documents that show a picture
COLUMNS = ("id", "name", "width", "height", "size", "colour", "notes", "at", "by", "used_by")
NAME_CHARS = 120


class ContentPicturesPage:
    """/office/content/pictures, each of them, and the forms."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        every, one, tech = "/content/pictures", "/content/pictures/{picture}", Role.TECHNICIAN
        return [
            PageRoute("GET", every, self.show, Role.VIEWER, tables={"pictures": self.file}),
            PageRoute("POST", every, self.upload, tech, receives=True),
            PageRoute("GET", one, self.show_one, Role.VIEWER),
            PageRoute("GET", one + "/remove", self.ask_to_remove, tech),
            PageRoute("POST", one + "/remove", self.remove, tech),
        ]

    async def show(self, visit: Visit) -> Result:
        """All of them, the newest first, and the form."""
        return await _shown(visit, {})

    def file(self, visit: Visit) -> Listing:
        """All of them as a file."""
        return Listing("pictures", COLUMNS, _rows(visit.every("/v1/content/pictures")))

    async def upload(self, visit: Visit) -> Result:
        """Take one in, and go where it is told what was done to it."""
        fields: Mapping[str, str] = {}
        try:
            form = Received(visit.request, PICTURE_BYTES)
            fields = await form.fields()
            name = fields.get("title", "").strip()[:NAME_CHARS]
            made, new = await visit.give("/v1/content/pictures", {"name": name}, form.file)
        except OutpostError as error:
            return await _shown(visit, fields, error)
        return Went(f"{PLACE}/{made.id}", said="picture_added" if new else "picture_known")

    async def show_one(self, visit: Visit) -> Result:
        """A picture, what was done to it, and who shows it."""
        one = await _picture(visit)
        return Shown(
            "content_picture.html",
            {
                "picture": one,
                "users": (await visit.get("/v1/content", {"picture": one.id, "limit": USERS})).items,
                "page_of": document_page,
                "place": f"{PLACE}/{one.id}",
                "may_remove": visit.may(Role.TECHNICIAN) and not visit.member.sites,
            },
        )

    async def ask_to_remove(self, visit: Visit) -> Result:
        """Are you sure?"""
        return await _question(visit)

    async def remove(self, visit: Visit) -> Result:
        """It is gone here."""
        picture = name_of(visit.param("picture"))
        try:
            await visit.act("DELETE", "/v1/content/pictures/{picture}", picture=picture)
        except NotFound:
            pass
        except (Conflict, Forbidden) as error:
            return await _question(visit, error)
        return Went(PLACE, said="picture_removed")


async def _picture(visit: Visit) -> PictureView:
    picture = name_of(visit.param("picture"))
    found: PictureView = await visit.get("/v1/content/pictures/{picture}", picture=picture)
    return found


async def _shown(visit: Visit, fields: Mapping[str, str], refused: OutpostError | None = None) -> Shown:
    cursor = visit.query("cursor")
    page = await visit.get("/v1/content/pictures", {"limit": SHOWN, "cursor": cursor})
    values = {
        "pictures": page.items,
        "typed": fields.get("title", ""),
        "name_chars": NAME_CHARS,
        "most": PICTURE_BYTES,
        "place": PLACE,
        "first": PLACE if cursor else "",
        "next": link(PLACE, cursor=page.next) if page.next else "",
        "may": visit.may(Role.TECHNICIAN),
        "refused": refused,
    }
    return Shown("content_pictures.html", values, status=refused.status if refused else 200)


async def _question(visit: Visit, refused: OutpostError | None = None) -> Shown:
    one, words = await _picture(visit), visit.words
    return confirm(
        words("pictures.remove_title", name=isolated(one.name or one.id[:12])),
        [words("pictures.remove_does")],
        button=words("pictures.remove"),
        back=f"{PLACE}/{one.id}",
        refused=refused,
    )


async def _rows(pages: AsyncIterator[list[PictureView]]) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield [
            tuple("; ".join(one.notes) if name == "notes" else getattr(one, name) for name in COLUMNS)
            for one in page
        ]
