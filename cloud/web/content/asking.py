"""Documents as the API has them, for pages: one read, one saved, and the addresses of their pages."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import web

from cloud.web.frame import ROOT, Visit
from cloud.web.links import link, name_of, part_of
from edge.errors import NotFound
from edge.wire.centre_content import CentreDocumentBody
from edge.wire.content import DocumentKind

HERE = ROOT + "/content"
ONE = "/content/{kind}/{id}"  # a document's page; its kind is one of many, as in `layouts/welcome`
_decode = msgspec.json.Decoder(CentreDocumentBody).decode


def document_page(kind: str, name: str, act: str = "", asked: Mapping[str, object] | None = None) -> str:
    """The page of a document, or one behind it."""
    return link(f"{HERE}/{kind}s/{part_of(name)}" + (f"/{act}" if act else ""), asked)


def key_of(visit: Visit) -> tuple[DocumentKind, str]:
    """Kind and id of the document that the page is of. Raises NotFound."""
    parts = visit.request.path.removeprefix(HERE + "/").partition("/")
    try:
        return DocumentKind(parts[0].removesuffix("s")), name_of(visit.param("id"))
    except ValueError as error:
        raise NotFound("There is no such kind of document.") from error


async def document(visit: Visit, kind: DocumentKind, name: str) -> CentreDocumentBody:
    """A document with what is in it. Raises NotFound."""
    return _bodied(await visit.get("/v1/content/{kind}/{id}", kind=kind.value, id=name))


async def save(
    visit: Visit, kind: DocumentKind, name: str, *, body: object, revision: int, title: str
) -> CentreDocumentBody:
    """Keep a draft over the revision that was read. Raises BadInput, TooLarge, Conflict."""
    wanted = {"body": body, "revision": revision, "title": title}
    return _bodied(await visit.act("PUT", "/v1/content/{kind}/{id}", wanted, kind=kind.value, id=name))


def _bodied(answer: CentreDocumentBody | web.Response) -> CentreDocumentBody:
    """The view in an answer that has headers of its own."""
    if isinstance(answer, CentreDocumentBody):
        return answer
    body = answer.body
    assert isinstance(body, bytes)
    return _decode(body)
