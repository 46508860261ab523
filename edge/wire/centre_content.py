"""What /v1/content has at head office besides what it has at a hub: which sites stand how with a document."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from edge.wire.content import CheckLayout, DocumentBody, DocumentView, PanelView, Publish
from edge.wire.layouts import Word
from edge.wire.updates import Sha256
from edge.wire.views import Json, Request, View

SITES_MAX = 2000  # of one publishing

Step = Literal["", "waiting", "handed", "taken", "applied", "conflict", "refused", "expired", "withdrawn"]
"""How far what was sent to a site is. `waiting`: its hub was not told yet; `handed`: it is being told; `taken`: it
has it and fetches its pictures; `applied`: it is published there; `conflict`: something else is published there
that head office did not know of, and what was sent is kept beside it; `refused`, with a reason; `expired`: nobody
took it in time; `withdrawn`: taken back before the hub had it. '' where nothing was sent."""


class CentreDocument(DocumentView, frozen=True, kw_only=True):
    """A document of head office. `sites`: how many sites stand how with it, by Step."""

    sites: dict[str, int]


class CentreDocumentBody(DocumentBody, frozen=True, kw_only=True):
    """The same with what is in it. `hash`: of its draft."""

    hash: str
    sites: dict[str, int]


class DocumentSeen(DocumentView, frozen=True, kw_only=True):
    """The view of a state row `document`: what a site has published. `hash`: of `published`."""

    hash: str
    published: Json


class SiteDocument(DocumentView, frozen=True, kw_only=True):
    """A document that is published at a site, as its hub last told of it. `ours`: what is published there is what
    head office has sent last."""

    hash: str
    site: str
    as_of: str
    stale: bool
    ours: bool


class SiteDocumentBody(SiteDocument, frozen=True, kw_only=True):
    """The same with what is in it."""

    published: Json


class There(View, frozen=True, kw_only=True):
    """What a site has published, as its hub last told of it. `same`: it is what was sent last."""

    version: int
    hash: str
    at: str | None
    by: str
    same: bool


class SiteStand(View, frozen=True, kw_only=True):
    """How a site stands with a document. `version`: of head office, that was sent last, 0 for none; `newest`: that
    is the newest there is. `reason` says why where it was not applied; of a conflict, `their_by` and `their_at` who
    published what the site had then, and when. `there`: what it has now, null where it has none of it. `stale`: its
    hub is away."""

    site: str
    name: str
    step: Step
    version: int
    newest: bool
    reason: str
    sent_at: str | None
    sent_by: str
    changed_at: str | None
    their_by: str
    their_at: str | None
    there: There | None
    stale: bool


class PublishTo(Publish, frozen=True, kw_only=True):
    """POST …/publish at head office: the draft at `revision` becomes the next version, or with `version` an earlier
    one does so once more, and goes to these `sites`, or `everywhere` that the caller reaches. With neither it is
    published here alone. What the document names and a site lacks goes there first."""

    sites: Annotated[tuple[Word, ...], msgspec.Meta(max_length=SITES_MAX)] = ()
    everywhere: bool = False


class Published(View, frozen=True, kw_only=True):
    """What came of it: the version, how the sites stand, and what else went to them first, as `kind/id`."""

    version: int
    sites: list[SiteStand]
    sent_first: list[str]


class AdoptDraft(Request, frozen=True, kw_only=True):
    """POST …/sites/{site}/adopt: over the draft at this revision, 0 where head office has none of it yet."""

    revision: Annotated[int, msgspec.Meta(ge=0)] = 0


class SitePanel(PanelView, frozen=True, kw_only=True):
    """A device's panel as its hub last told it."""

    site: str
    as_of: str
    stale: bool


class CheckAtSite(CheckLayout, frozen=True, kw_only=True):
    """POST /v1/content/check at head office: with the newest readings and assets of this site."""

    site: str = ""


# --- the inbox item `content`


class OrderedPicture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that a document shows, which the hub fetches if it has not got it. `size` 0: head office has not
    got it either, since the document is the site's own."""

    id: Sha256
    size: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""


class ContentOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Publish this. `order`: the item's id, which the fact CONTENT_ORDER tells the end of. `bases`: hashes of what
    head office knows to be its own at the site, the newest first; '' is nothing at all. Where something else is
    published, it is a conflict. `until_us`: when it is given up where its pictures have not come."""

    order: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: str
    id: str
    title: str
    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    hash: Sha256
    body: Json
    bases: Annotated[tuple[str, ...], msgspec.Meta(max_length=64)] = ()
    pictures: Annotated[tuple[OrderedPicture, ...], msgspec.Meta(max_length=500)] = ()
    note: str = ""
    until_us: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


CONTENT = "content"  # the item's kind
CONTENT_ORDER = "content.order"
"""The fact of what became of an order: subject its id; the body has `step` (applied, conflict, refused), `kind`,
`id`, `hash`, `reason`, and of a conflict `their_by` and `their_us`: who published what is there, and when."""
