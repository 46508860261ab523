"""What people write for panels, as hub, centre and devices speak of it (docs/content.md).

A *document* is what people write: a layout, a playlist, a schedule or a source. It has one draft, which anybody may
save over whoever last saved it only by saying what he saw (`revision`), and versions, which never change. Panels
show published versions alone. The views are the JSON of /v1, the same at hub and centre, where each has the site
besides.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from edge.wire.layouts import Layout, Title, Word
from edge.wire.playlists import Playlist, Schedule
from edge.wire.updates import Sha256
from edge.wire.views import Json, Request, View

DOCUMENT_BYTES = 48 * 1024  # of a body as JSON
DOCUMENTS_MAX = 500  # at a site, of all kinds
VERSIONS_KEPT = 50  # of a document; older ones go, but never the published one
NOTE_CHARS = 300
PICTURE_BYTES = 8 * 1024 * 1024  # of an upload


class DocumentKind(StrEnum):
    """What people write."""

    LAYOUT = "layout"
    PLAYLIST = "playlist"
    SCHEDULE = "schedule"
    SOURCE = "source"


class SourceField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One text out of the answer: `path` leads there, as in `current.temperature_2m` or `items[0].title`."""

    name: Title
    path: Annotated[str, msgspec.Meta(max_length=200)]
    unit: Annotated[str, msgspec.Meta(max_length=16)] = ""


class SourceDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where something is fetched, how often, and what of it is shown. `preset`: one that Outpost knows, whose
    address and fields it has; '' for any JSON over HTTP. `needs`: what a preset needs, such as a place."""

    preset: Title = ""
    url: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    fields: Annotated[tuple[SourceField, ...], msgspec.Meta(max_length=20)] = ()
    every_s: Annotated[int, msgspec.Meta(ge=60, le=7 * 86_400)] = 1800
    needs: Annotated[dict[Title, Word], msgspec.Meta(max_length=10)] = {}


BODIES: dict[DocumentKind, type[msgspec.Struct]] = {
    DocumentKind.LAYOUT: Layout,
    DocumentKind.PLAYLIST: Playlist,
    DocumentKind.SCHEDULE: Schedule,
    DocumentKind.SOURCE: SourceDocument,
}


# --- documents, as /v1/content shows them


class DocumentView(View, frozen=True, kw_only=True):
    """A document. `revision` rises with each saved draft; `version` is the published one, 0 for none, and `draft`
    is whether the draft differs from it. `published_by`: who, or `centre:` and who, at head office.

    `conflict`: head office has sent a version (its number) that was written without knowing what is published here;
    it is kept and not shown, until somebody publishes one of them.
    """

    kind: DocumentKind
    id: str
    title: str
    revision: int
    version: int
    draft: bool
    conflict: int
    changed_at: str
    changed_by: str
    published_at: str | None
    published_by: str
    used_by: int  # published documents that name it


class DocumentBody(DocumentView, frozen=True, kw_only=True):
    """With what is in it: the draft, and what is published (null: nothing yet). `notes`: what its writer should
    know about the draft; an error among them keeps it from being published."""

    body: Json
    published: Json
    notes: tuple[Note, ...] = ()


class VersionView(View, frozen=True, kw_only=True):
    """One version. `hash`: SHA-256 of its body; `state`: `published`, `earlier`, or `conflict`; `back_to`: the
    version that it repeats, 0 where it is new."""

    version: int
    hash: str
    state: str
    at: str
    by: str
    note: str
    back_to: int


class VersionBody(VersionView, frozen=True, kw_only=True):
    """With its body."""

    body: Json


class SaveDraft(Request, frozen=True, kw_only=True):
    """PUT /v1/content/{kind}/{id}: the whole body. `revision`: the one that was read; 0 for a new document. Another
    revision there: 409, and nothing is lost."""

    body: Json
    revision: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    title: Title = ""


class Publish(Request, frozen=True, kw_only=True):
    """POST …/publish: the draft, as it is at `revision`, becomes the next version; or, with `version`, an earlier
    one does so once more: that is how one goes back."""

    revision: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    version: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    note: Annotated[str, msgspec.Meta(max_length=NOTE_CHARS)] = ""


class Note(View, frozen=True, kw_only=True):
    """Something about an element (its number from 0; -1: the whole) that its writer should know. `level`:
    `error`: it cannot be published so; `warning`: it is drawn, but not as one would think."""

    element: int
    level: Literal["error", "warning"]
    text: str


class CheckLayout(Request, frozen=True, kw_only=True):
    """POST /v1/content/check: draw this, published or not. `device`: the one whose panel and readings are meant;
    with `panel` on another panel. `body`: a layout; or `layout`: the id of one (its draft); or `picture`."""

    body: Json = None
    layout: str = ""
    picture: str = ""
    device: str = ""
    panel: str = ""


class CheckedLayout(View, frozen=True, kw_only=True):
    """How it looks: `png` is base64 of exactly the panel's pixels; `bytes` what goes to the panel, and how long
    that takes on the line at its rate."""

    panel: str
    width: int
    height: int
    bytes: int
    content_hash: str
    notes: list[Note]
    png: str


class PictureView(View, frozen=True, kw_only=True):
    """An uploaded picture. `id`: the SHA-256 of what is kept. `notes`: what was done to it, in sentences."""

    id: Sha256
    name: str
    width: int
    height: int
    size: int
    colour: bool
    notes: list[str]
    at: str
    by: str
    used_by: int


class SourceView(View, frozen=True, kw_only=True):
    """How a published source stands: what it last said and when; `problem`: why it does not now, '' when it
    does."""

    id: str
    title: str
    url: str
    every_s: int
    values: dict[str, str]
    at: str | None
    age_s: float | None
    problem: str
    failures: int
    next_at: str | None


class PresetView(View, frozen=True, kw_only=True):
    """A source that Outpost knows. `needs`: what it must be told, each with a sentence."""

    name: str
    title: str
    fields: list[str]
    needs: dict[str, str]


class PanelKindView(View, frozen=True, kw_only=True):
    """A panel that Outpost can draw for."""

    name: str
    title: str
    width: int
    height: int
    format: str
    shades: int  # 2, 4, 256 (grey) or 65536 (colour)


class PanelView(View, frozen=True, kw_only=True):
    """A device's panel: what it should show now, and what it shows by what evidence.

    `wanted`: SHA-256 of the picture; `screen`: the layout or picture it is, `version` of it, `playlist` and
    `schedule` where it comes from; '' when nothing is scheduled. `until`: when another turn begins, null for
    never. `shown`: SHA-256 of what it shows, '' where that is nothing of what was scheduled; `evidence`: `told`
    (by the device), `fetched` (it has taken all of it, which is all that older devices let one know), or '' for
    nothing known. `sharp`: whether that is what it should show. `behind`: in a sentence why it is not, '' when it
    is.
    """

    device: str
    name: str
    panel: str
    width: int
    height: int
    screen: str
    version: int
    playlist: str
    schedule: str
    wanted: str
    until: str | None
    refresh_s: int
    shown: str
    shown_screen: str
    shown_version: int
    shown_at: str | None
    evidence: str
    sharp: bool
    behind: str
    notes: list[str]


class ReceiptView(View, frozen=True, kw_only=True):
    """A device showed something from a time on."""

    device: str
    at: str
    screen: str
    version: int
    picture: str
    evidence: str


# --- between a device and its hub

Sha256OrNone = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)")]


class Show(msgspec.Struct, frozen=True, kw_only=True):
    """Hub: what the panel shall show: a picture in the panel's own format, of `size` bytes, by its hash. It
    stands until it is another, or none. `again_s`: when it may be another one, at the earliest; who sleeps,
    sleeps so long.
    """

    picture: Sha256
    size: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    again_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 60


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Device: this is on the panel now, for `shown_ms` already; '': nothing of the hub's is. `err`: why it could
    not be shown; then the panel still has what it had."""

    picture: Sha256OrNone
    shown_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] = 0
    err: Annotated[str, msgspec.Meta(max_length=64)] = ""
