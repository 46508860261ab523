"""/v1/content of documents, as at a hub; and which sites get them."""

from __future__ import annotations

import msgspec
from aiohttp import hdrs, web

from cloud.accounts.member import member, require_all_sites
from cloud.content.documents import Documents
from cloud.content.keeping import kind_of
from cloud.content.publishing import Publishing
from edge.errors import NotFound
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.centre_content import (
    AdoptDraft,
    CentreDocument,
    CentreDocumentBody,
    Published,
    PublishTo,
    SiteStand,
)
from edge.wire.content import SaveDraft, VersionBody, VersionView

VERSION_DIGITS = 9
_encode = msgspec.json.Encoder().encode


class DocumentRoutes:
    """The routes."""

    def __init__(self, documents: Documents, publishing: Publishing) -> None:
        self._documents, self._publishing = documents, publishing

    def all(self) -> list[Route]:
        """Every route."""
        see, tech, view = Role.VIEWER, Role.TECHNICIAN, CentreDocumentBody
        stand, version = SiteStand, VersionView
        every, one = "/v1/content", "/v1/content/{kind}/{id}"
        versions, sites, site = one + "/versions", one + "/sites", one + "/sites/{site}"
        listing = "Documents of head office; `kind`: of one kind; `picture`: those that show it"
        save = "Save the draft over the revision that was read; 409 when somebody else was there before"
        publish = "Publish the draft, or an earlier version, here and at these sites"
        gone = "Remove it here, while nothing published names it; sites keep what they have"
        over = "Send what was sent last once more, over what the site has now"
        adopt = "Take what the site has published into the draft here"
        back = "Take back what its hub has not got yet"
        asked = ("kind", "picture")
        return [
            Route("GET", every, self.every, listing, see, returns=CentreDocument, many=True, query=asked),
            Route("GET", one, self.one, "A document: its draft, and what is published", see, returns=view),
            Route("PUT", one, self.save, save, tech, body=SaveDraft, returns=view),
            Route("DELETE", one, self.remove, gone, tech, also=require_all_sites),
            Route("POST", one + "/publish", self.publish, publish, tech, body=PublishTo, returns=Published),
            Route("GET", versions, self.versions, "Its versions, newest first", see, returns=version, many=True),
            Route("GET", versions + "/{version}", self.version, "One version", see, returns=VersionBody),
            Route("GET", sites, self.sites, "How each site stands with it", see, returns=stand, many=True),
            Route("GET", site, self.site, "How one site stands with it", see, returns=stand),
            Route("POST", site + "/overwrite", self.overwrite, over, tech, returns=stand),
            Route("POST", site + "/adopt", self.adopt, adopt, tech, body=AdoptDraft, returns=view, bare=True),
            Route("POST", site + "/take-back", self.take_back, back, tech, returns=stand),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/content?kind=&picture=."""
        found = await self._documents.listed(member(call), call.query("kind"), call.query("picture"))
        begin, limit = call.cursor() or 0, call.limit()
        more = str(begin + limit) if begin + limit < len(found) else None
        return Page([*found[begin : begin + limit]], more)

    async def one(self, call: Call) -> Answer:
        """GET /v1/content/{kind}/{id}."""
        return _tagged(await self._documents.one(member(call), *_key(call)))

    async def save(self, call: Call) -> Answer:
        """PUT /v1/content/{kind}/{id}."""
        return _tagged(await self._documents.save(member(call), *_key(call), call.body))

    async def remove(self, call: Call) -> Answer:
        """DELETE /v1/content/{kind}/{id}."""
        await self._documents.remove(member(call), *_key(call))
        return None

    async def publish(self, call: Call) -> Answer:
        """POST /v1/content/{kind}/{id}/publish."""
        return await self._publishing.publish(member(call), *_key(call), call.body)

    async def versions(self, call: Call) -> Answer:
        """GET /v1/content/{kind}/{id}/versions."""
        found = await self._documents.versions(member(call), *_key(call))
        before, limit = call.cursor(), call.limit()
        found = [one for one in found if before is None or one.version < before]
        return Page([*found[:limit]], str(found[limit - 1].version) if len(found) > limit else None)

    async def version(self, call: Call) -> Answer:
        """GET /v1/content/{kind}/{id}/versions/{version}."""
        text = call.param("version")
        if not (text.isascii() and text.isdecimal()) or len(text) > VERSION_DIGITS:
            raise NotFound(f"There is no version {text[:20]!r}: versions are numbers.")
        return await self._documents.version(member(call), *_key(call), int(text))

    async def sites(self, call: Call) -> Answer:
        """GET /v1/content/{kind}/{id}/sites: all that the caller reaches."""
        return Page([*await self._publishing.stands(member(call), *_key(call))])

    async def site(self, call: Call) -> Answer:
        """GET /v1/content/{kind}/{id}/sites/{site}."""
        return await self._publishing.stand(member(call), *_key(call), call.param("site"))

    async def overwrite(self, call: Call) -> Answer:
        """POST /v1/content/{kind}/{id}/sites/{site}/overwrite."""
        return await self._publishing.overwrite(member(call), *_key(call), call.param("site"))

    async def adopt(self, call: Call) -> Answer:
        """POST /v1/content/{kind}/{id}/sites/{site}/adopt."""
        wanted: AdoptDraft = call.body
        caller, key = member(call), _key(call)
        await self._publishing.adopt(caller, *key, call.param("site"), wanted.revision)
        return _tagged(await self._documents.one(caller, *key))

    async def take_back(self, call: Call) -> Answer:
        """POST /v1/content/{kind}/{id}/sites/{site}/take-back."""
        return await self._publishing.take_back(member(call), *_key(call), call.param("site"))


def _key(call: Call) -> tuple[str, str]:
    """Kind and id of the document in the path. Raises BadInput."""
    return kind_of(call.param("kind")).value, call.param("id")


def _tagged(view: CentreDocumentBody) -> web.Response:
    """With its revision as the ETag, as at a hub."""
    headers = {hdrs.CONTENT_TYPE: "application/json", hdrs.ETAG: f'"{view.revision}"'}
    return web.Response(body=_encode(view), headers=headers)
