"""A document and the sites: publish it there, how each stands with it, what to do about a conflict, and the
versions one can go back to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cloud.web.confirming import confirm
from cloud.web.content.asking import ONE, document, document_page, key_of
from cloud.web.cut import cut
from cloud.web.frame import PageRoute, Result, Shown, Visit, Went
from cloud.web.site_choice import chosen_in, is_every, offered
from cloud.web.words import isolated
from edge.errors import BadInput, Conflict, NotFound, OutpostError
from edge.serving.roles import Role
from edge.wire.centre_content import CentreDocumentBody, SiteStand
from edge.wire.content import NOTE_CHARS

SITES_SHOWN = 100
VERSIONS_SHOWN = 50
ACTS = {"overwrite": "content_overwritten", "adopt": "content_adopted", "take-back": "content_taken_back"}
"""What may be done about a document at a site, and what is said when it was."""
DIGITS = 9


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing would do. `version`: of an earlier one that is published once more, 0 for the draft."""

    version: int
    number: int
    note: str
    every: bool
    sites: Sequence[SiteStand]

    def which(self, *, away: bool) -> list[SiteStand]:
        """The sites whose hub is away, or is not."""
        return [one for one in self.sites if one.stale is away]

    @property
    def strange(self) -> list[SiteStand]:
        """The sites that have something of it which head office has not sent."""
        return [one for one in self.sites if one.there is not None and not one.there.same]


class ContentPublishPage:
    """/office/content/{kind}s/{id}/publish, and the questions behind it."""

    def all(self) -> list[PageRoute]:
        """Its routes."""
        tech, here, site = Role.TECHNICIAN, ONE + "/publish", ONE + "/sites/{site}/"
        made = [
            PageRoute("GET", here, self.show, Role.VIEWER),
            PageRoute("POST", here, self.publish, tech, fields=2100),
        ]
        for act in ACTS:
            made.append(PageRoute("GET", site + act, self.ask_at, tech))
            made.append(PageRoute("POST", site + act, self.act_at, tech))
        return made

    async def show(self, visit: Visit) -> Result:
        """The form, the sites and the versions."""
        kind, name = key_of(visit)
        return await _shown(visit, await document(visit, kind, name))

    async def publish(self, visit: Visit) -> Result:
        """First say what would happen, then do it."""
        kind, name = key_of(visit)
        told = await document(visit, kind, name)
        try:
            wanted = _wanted(visit, told)
            if visit.form.get("act") != "publish":
                return await _shown(visit, told, outlook=await _outlook(visit, told, wanted))
            path = "/v1/content/{kind}/{id}/publish"
            await visit.act("POST", path, wanted, kind=kind.value, id=name)
        except OutpostError as error:
            return await _shown(visit, told, error)
        return Went(document_page(kind.value, name, "publish") + "#sites", said="content_published")

    async def ask_at(self, visit: Visit) -> Result:
        """Are you sure?"""
        return await _question(visit)

    async def act_at(self, visit: Visit) -> Result:
        """Send it over what a site has, take what it has into the draft, or take back what it has not got yet."""
        kind, name = key_of(visit)
        act, site = _act(visit), visit.param("site")
        body: dict[str, object] = {}
        if act == "adopt":
            body = {"revision": _number(visit.form.get("revision", ""))}
        try:
            path = "/v1/content/{kind}/{id}/sites/{site}/" + act
            await visit.act("POST", path, body, kind=kind.value, id=name, site=site)
        except (BadInput, Conflict, NotFound) as error:
            return await _question(visit, error)
        to = "" if act == "adopt" else "publish"
        return Went(document_page(kind.value, name, to), said=ACTS[act])


def _wanted(visit: Visit, told: CentreDocumentBody) -> dict[str, Any]:
    """What the form asks for, as the API takes it. Raises BadInput."""
    form = visit.form
    version = _number(form.get("version", "0"))
    revision = 0 if version else _number(form.get("revision", str(told.revision)))
    sites, note = chosen_in(form), form.get("note", "").strip()
    if not sites and not is_every(form) and form.get("reach") != "here":
        raise BadInput(str(visit.words("sites_of.choose")))
    here = form.get("reach") == "here"
    return {
        "revision": revision,
        "version": version,
        "note": note,
        "sites": [] if here else sites,
        "everywhere": is_every(form),
    }


async def _outlook(visit: Visit, told: CentreDocumentBody, wanted: dict[str, Any]) -> Outlook:
    stands = await _stands(visit, told)
    named = set(wanted["sites"])
    known = {one.site for one in stands}
    for site in named - known:  # one that is not there says so
        await visit.get("/v1/sites/{site}", site=site)
    newest = (await _versions(visit, told))[:1]
    top = newest[0].version if newest else 0
    version = wanted["version"]
    same = version == told.version if version else not told.draft
    return Outlook(
        version=version,
        number=told.version if same else top + 1,
        note=wanted["note"],
        every=wanted["everywhere"],
        sites=[one for one in stands if wanted["everywhere"] or one.site in named],
    )


async def _stands(visit: Visit, told: CentreDocumentBody) -> list[SiteStand]:
    path = "/v1/content/{kind}/{id}/sites"
    found: list[SiteStand] = (await visit.get(path, kind=told.kind.value, id=told.id)).items
    return found


async def _versions(visit: Visit, told: CentreDocumentBody) -> list[Any]:
    path, asked = "/v1/content/{kind}/{id}/versions", {"limit": VERSIONS_SHOWN}
    return list((await visit.get(path, asked, kind=told.kind.value, id=told.id)).items)


async def _shown(
    visit: Visit,
    told: CentreDocumentBody,
    refused: OutpostError | None = None,
    outlook: Outlook | None = None,
) -> Shown:
    stands = await _stands(visit, told)
    has = [one.site for one in stands if one.step or one.there is not None]
    chosen, form = chosen_in(visit.form) if visit.form else has, visit.form
    version = form.get("version") or visit.query("version")
    order = {"conflict": 0, "refused": 1, "expired": 2, "waiting": 3, "handed": 3, "taken": 3}
    ordered = sorted(stands, key=lambda one: (order.get(one.step, 4 if one.step else 5), one.name))
    shown, following = cut(ordered, visit.query("cursor"), SITES_SHOWN)
    place = document_page(told.kind.value, told.id, "publish")
    values = {
        "told": told,
        "kind": told.kind.value,
        "version": int(version) if version.isdecimal() and len(version) <= DIGITS else 0,
        "note": form.get("note", ""),
        "reach": form.get("reach", "some" if has else "all"),
        "revision": form.get("revision", told.revision),
        "choice": await offered(visit, chosen),
        "stands": shown,
        "versions": await _versions(visit, told),
        "faults": [note for note in told.notes if note.level == "error"],
        "outlook": outlook,
        "note_chars": NOTE_CHARS,
        "place": place,
        "editor": document_page(told.kind.value, told.id),
        "at": lambda site, act: document_page(told.kind.value, told.id, f"sites/{site}/{act}"),
        "first": place if visit.query("cursor") else "",
        "next": f"{place}?cursor={following}" if following else "",
        "may": visit.may(Role.TECHNICIAN),
        "refused": refused,
    }
    return Shown("content_publish.html", values, status=refused.status if refused else 200)


async def _question(visit: Visit, refused: OutpostError | None = None) -> Shown:
    kind, name = key_of(visit)
    act, words = _act(visit), visit.words
    key = act.replace("-", "_")
    stand: SiteStand = await visit.get(
        "/v1/content/{kind}/{id}/sites/{site}", kind=kind.value, id=name, site=visit.param("site")
    )
    says = [words(f"content_at.{key}_does")]
    if stand.there is not None and act != "take-back":
        by = isolated(stand.there.by)
        says.append(words("content_at.there", by=by, at=visit.figures.when(stand.there.at)))
    fields = {}
    if act == "adopt":
        try:
            fields["revision"] = str((await document(visit, kind, name)).revision)
        except NotFound:
            fields["revision"] = "0"
    return confirm(
        words(f"content_at.{key}_title", name=isolated(name), site=isolated(stand.name)),
        says,
        button=words(f"content_at.{key}"),
        back=document_page(kind.value, name, "publish"),
        fields=fields,
        danger=act != "take-back",
        refused=refused,
    )


def _act(visit: Visit) -> str:
    return visit.request.path.rpartition("/")[2]


def _number(text: str) -> int:
    """A number of a form. Raises BadInput."""
    text = text.strip() or "0"
    if not (text.isascii() and text.isdecimal()) or len(text) > DIGITS:
        raise BadInput("The form cannot be read.")
    return int(text)
