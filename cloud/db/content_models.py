"""The tables of content: documents of a tenant with their versions, what was sent to which site, and pictures.

What a site has published its hub tells as a state (kind `document`), and how its panels stand as `panel`.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.db.models import Big, SiteKeyed
from cloud.db.update_models import TenantKeyed


class DocumentRow(TenantKeyed):
    """A document: its draft (`body`, JSON), which `revision` counts the changes of, and its published version, 0
    for none. `hash`: of the draft, `published_hash`: of that version, '' for none. `newest`: the highest number of
    all its versions. One that was `removed` stays as a row, so that no number is given twice."""

    __tablename__ = "content_documents"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(Big)
    version: Mapped[int] = mapped_column(Integer, default=0)
    newest: Mapped[int] = mapped_column(Integer, default=0)
    removed: Mapped[bool] = mapped_column(Boolean, default=False)
    published_hash: Mapped[str] = mapped_column(Text, default="")
    changed_us: Mapped[int] = mapped_column(Big)
    changed_by: Mapped[str] = mapped_column(Text)
    published_us: Mapped[int | None] = mapped_column(Big)
    published_by: Mapped[str] = mapped_column(Text, default="")


class DocumentVersion(TenantKeyed):
    """A version of a document, which never changes. `back_to`: the version that it repeats, 0 where it is new."""

    __tablename__ = "content_versions"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)
    at_us: Mapped[int] = mapped_column(Big)
    by: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    back_to: Mapped[int] = mapped_column(Integer, default=0)


class DocumentAtSite(SiteKeyed):
    """What was last sent of a document to a site, by the inbox item `item`, and what became of it (`step`).

    `known`: hashes, between spaces, of what head office knows to be its own there, `-` for nothing at all: whatever
    else is published at the site was written by somebody at the site. `their_by`, `their_us`: who published
    what the site has instead, and when.
    """

    __tablename__ = "content_at_sites"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, default=0)
    hash: Mapped[str] = mapped_column(Text, default="")
    known: Mapped[str] = mapped_column(Text, default="")
    item: Mapped[str] = mapped_column(Text, default="")
    step: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    sent_us: Mapped[int] = mapped_column(Big, default=0)
    sent_by: Mapped[str] = mapped_column(Text, default="")
    changed_us: Mapped[int] = mapped_column(Big, default=0)
    their_by: Mapped[str] = mapped_column(Text, default="")
    their_us: Mapped[int | None] = mapped_column(Big)

    __table_args__ = (
        Index(None, "tenant_id", "site_id", "item"),
        Index(None, "tenant_id", "kind", "id"),
    )


class PictureRow(TenantKeyed):
    """A picture, by the SHA-256 of what is kept; its bytes are the blob of that hash. `notes`: what was done to it,
    as a JSON list of sentences."""

    __tablename__ = "content_pictures"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(Big)
    colour: Mapped[bool] = mapped_column(Boolean)
    notes: Mapped[str] = mapped_column(Text)
    at_us: Mapped[int] = mapped_column(Big)
    by: Mapped[str] = mapped_column(Text)
