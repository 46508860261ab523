"""A new document: its kind, what it is called, and an example to begin with; and the end of one."""

from __future__ import annotations

from cloud.web.confirming import confirm
from cloud.web.content.asking import HERE, ONE, document, document_page, key_of, save
from cloud.web.content.examples import EXAMPLES, first_body
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.pages.content import KINDS
from cloud.web.pages.site_rules import id_of
from cloud.web.words import isolated
from edge.errors import Conflict, Forbidden, NotFound, OutpostError
from edge.serving.roles import Role
from edge.wire.content import DocumentKind
from edge.wire.layouts import NAME_CHARS

EMPTY = "empty"


class ContentNewPage:
    """/office/content/new, and the question before a document goes."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        tech = Role.TECHNICIAN
        return [
            PageRoute("GET", "/content/new", self.ask, tech),
            PageRoute("POST", "/content/new", self.make, tech),
            PageRoute("GET", ONE + "/remove", self.ask_to_remove, tech),
            PageRoute("POST", ONE + "/remove", self.remove, tech),
        ]

    async def ask(self, visit: Visit) -> Result:
        """The form."""
        return _form(visit, visit.query("kind"))

    async def make(self, visit: Visit) -> Result:
        """Keep the first draft, and go on writing it."""
        form = visit.form
        kind, title = _kind(form.get("kind", "")), form.get("title", "").strip()
        try:
            taken = [one.id async for page in visit.every("/v1/content", {"kind": kind.value}) for one in page]
            name = form.get("id", "").strip() or id_of(title, taken)
            body = first_body(kind, form.get("example", ""), visit.words)
            await save(visit, kind, name, body=body, revision=0, title=title)
        except OutpostError as error:
            return _form(visit, kind.value, error)
        return Went(document_page(kind.value, name))

    async def ask_to_remove(self, visit: Visit) -> Result:
        """Are you sure?"""
        return await _question(visit)

    async def remove(self, visit: Visit) -> Result:
        """It is gone here; sites keep what they have."""
        kind, name = key_of(visit)
        try:
            await visit.act("DELETE", "/v1/content/{kind}/{id}", kind=kind.value, id=name)
        except NotFound:
            pass
        except (Conflict, Forbidden) as error:
            return await _question(visit, error)
        return Went(f"{HERE}?kind={kind.value}", said="content_removed")


def _kind(text: str) -> DocumentKind:
    return DocumentKind(text) if text in KINDS else DocumentKind.LAYOUT


def _form(visit: Visit, kind: str, refused: OutpostError | None = None) -> Shown:
    values = {
        "kind": _kind(kind).value,
        "kinds": KINDS,
        "examples": (*EXAMPLES, EMPTY),
        "typed": {name: visit.form.get(name, "") for name in ("title", "id")},
        "chosen": visit.form.get("example", EXAMPLES[0]),
        "title_chars": NAME_CHARS,
        "refused": refused,
    }
    return Shown("content_new.html", values, status=refused.status if refused else 200)


async def _question(visit: Visit, refused: OutpostError | None = None) -> Shown:
    kind, name = key_of(visit)
    told, words = await document(visit, kind, name), visit.words
    return confirm(
        words("content.remove_title", name=isolated(told.title or told.id)),
        [words("content.remove_does"), words("content.remove_sites")],
        button=words("content.remove"),
        back=document_page(kind.value, name),
        refused=refused,
    )
