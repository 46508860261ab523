"""The tables of people who use an older system's app from anywhere: what they ask of a site, and who they are
to it."""

from __future__ import annotations

from sqlalchemy import Boolean, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from cloud.db.models import Big, SiteKeyed


class Visit(SiteKeyed):
    """One request of a person to a hub, on its way; it is gone some seconds later. `person` as hubs know him.

    `handed_us`: when the hub got it, which it does once. `status`: of the answer, 0 until there is one.
    """

    __tablename__ = "visits"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    person: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    expires_us: Mapped[int] = mapped_column(Big)
    handed_us: Mapped[int | None] = mapped_column(Big)
    status: Mapped[int] = mapped_column(Integer, default=0)
    known: Mapped[bool] = mapped_column(Boolean, default=True)
    answer: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index(None, "expires_us"),)


class Acquaintance(SiteKeyed):
    """What the hub of a site was told last of a person of the centre: `told` is the hash of it, `item` the inbox
    item that tells it, `applied` whether the hub has it."""

    __tablename__ = "acquaintances"

    person_id: Mapped[str] = mapped_column(Text, primary_key=True)
    told: Mapped[str] = mapped_column(Text)
    item: Mapped[str] = mapped_column(Text)
    applied: Mapped[bool] = mapped_column(Boolean, default=False)
    told_us: Mapped[int] = mapped_column(Big)
