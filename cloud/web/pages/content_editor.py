"""Writing a document: its rows as fields, what it looks like meanwhile, and what others wrote in between.

The form has all of it, and each button sends it: so it is written without any script too, and the script has no
second opinion of what a form means (static/editor.js). Nothing is kept before *Save*.
"""

from __future__ import annotations

from typing import Any

from cloud.web.content.asking import HERE, document, document_page, key_of, save
from cloud.web.content.choices import ZOOMS, Look, choices, look_of
from cloud.web.content.fields import LOOKS, ROWS, head_fields, row_kinds
from cloud.web.content.forms import Body, body_of, changed, rows_of
from cloud.web.content.previews import checked_words, drawn, turns
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from edge.errors import BadInput, Conflict, OutpostError
from edge.serving.roles import Role
from edge.wire.centre_content import CentreDocumentBody
from edge.wire.content import DocumentKind
from edge.wire.layouts import NAME_CHARS

FIELDS_MAX = 3000  # of a form: the largest layout has some 1,200
COLOURS = ("black", "white", "grey", "lightgrey")
DIGITS = 12
OVER = "over:"  # begins what saves over somebody else's draft; behind it the revision that was seen


class ContentEditorPage:
    """/office/content/{kind}s/{id}."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        made = []
        for kind in DocumentKind:
            at = f"/content/{kind.value}s/{{id}}"
            made.append(PageRoute("GET", at, self.show, Role.VIEWER))
            made.append(PageRoute("POST", at, self.act, Role.TECHNICIAN, fields=FIELDS_MAX))
        return made

    async def show(self, visit: Visit) -> Result:
        """Its draft as it was saved last."""
        kind, name = key_of(visit)
        told = await document(visit, kind, name)
        look = look_of({key: visit.query(key) for key in ("site", "device", "panel", "zoom")})
        return await _shown(visit, told, told.body if isinstance(told.body, dict) else {}, told.title, look)

    async def act(self, visit: Visit) -> Result:
        """What a button of the form does; rows are moved about on the page alone."""
        kind, name = key_of(visit)
        form, what = visit.form, visit.form.get("act", "save")
        body, look = body_of(kind, form), look_of(form)
        title, revision = form.get("title", ""), _number(form.get("revision", ""))
        told = await document(visit, kind, name)
        if what.startswith(OVER):
            what, revision = "save", _number(what.removeprefix(OVER))
        if what in ("save", "publish"):
            try:
                told = await save(visit, kind, name, body=body, revision=revision, title=title)
            except OutpostError as error:
                return await _shown(visit, told, body, title, look, error, revision=revision)
            if what == "publish":
                return Went(document_page(kind.value, name, "publish"))
            return Went(document_page(kind.value, name, asked=look.asked()), said="content_saved")
        known = (await choices(visit, kind, body, look)).first() if what.startswith("add:") else {}
        body = changed(kind, body, what, known)
        return await _shown(visit, told, body, title, look, revision=revision)


async def _shown(
    visit: Visit,
    told: CentreDocumentBody,
    body: Body,
    title: str,
    look: Look,
    refused: OutpostError | None = None,
    *,
    revision: int | None = None,
) -> Shown:
    kind, may = told.kind, visit.may(Role.TECHNICIAN)
    is_layout = kind is DocumentKind.LAYOUT
    preview = await drawn(visit, body, look) if is_layout else checked_words(kind, body)
    seen = told.revision if revision is None else revision
    meanwhile = told if isinstance(refused, Conflict) and seen != told.revision else None
    theirs = None
    if meanwhile is not None and is_layout and isinstance(meanwhile.body, dict):
        theirs = await drawn(visit, meanwhile.body, look)
    ahead, zone = ([], "UTC") if is_layout else await turns(visit, kind, body, look.site)
    found = await choices(visit, kind, body, look)
    values: dict[str, Any] = {
        "told": told,
        "kind": kind.value,
        "title": title,
        "body": body,
        "rows": rows_of(kind, body),
        "row_kinds": row_kinds(kind),
        "heads": head_fields(kind),
        "of_row": ROWS[kind],
        "colours": COLOURS,
        "looks": LOOKS,
        "revision": seen,
        "unsaved": revision is not None,
        "look": look,
        "zooms": ZOOMS,
        "choices": found,
        "preview": preview,
        "meanwhile": meanwhile,
        "theirs": theirs,
        "ahead": ahead,
        "zone": zone,
        "place": document_page(kind.value, told.id),
        "here": HERE,
        "title_chars": NAME_CHARS,
        "pairs": lambda found, by: [(one.id, getattr(one, by) or one.id[:12]) for one in found],
        "kinds": lambda found: [(one.name, one.title) for one in found],
        "names": {one.id: one.name for one in found.pictures},
        "plain": _plain,
        "may": may,
        "may_remove": may and not visit.member.sites,
        "refused": refused,
    }
    return Shown("content_edit.html", values, status=refused.status if refused else 200, once=True)


def _plain(value: object) -> str:
    """A number as one writes it; what is none as it is."""
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _number(text: str) -> int:
    """The revision that a form was made of. Raises BadInput."""
    if not (text.isascii() and text.isdecimal()) or len(text) > DIGITS:
        raise BadInput("The form cannot be read: it has no revision.")
    return int(text)
