"""The tables of people: who they are, how they are logged in, and the secrets their logins are signed with."""

from __future__ import annotations

from sqlalchemy import Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cloud.db.models import Base, Big


class Person(Base):
    """Somebody's account. `username` names him in the audit, so it is never given to another; `state`: waiting (an
    administrator has yet to open it), active, disabled. `sites` as of a key. `password`: its argon2id hash, ''
    while he has none; `preferences`: what an older app keeps with him; `reset_hash`: of a code that sets a new
    password, until `reset_until_us`."""

    __tablename__ = "people"

    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    email: Mapped[str] = mapped_column(Text, index=True)
    username: Mapped[str] = mapped_column(Text)
    full_name: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[str] = mapped_column(Text)
    sites: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(Text)
    password: Mapped[str] = mapped_column(Text, default="")
    preferences: Mapped[str] = mapped_column(Text, default="{}", server_default="{}")
    reset_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    reset_until_us: Mapped[int] = mapped_column(Big, default=0)
    created_us: Mapped[int] = mapped_column(Big)
    created_by: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("tenant_id", "email"), UniqueConstraint("tenant_id", "username"))


class Login(Base):
    """Somebody logged in: in a browser (`kind` web), or with an older system's app (things, assets).

    `hash`: of what the browser or the app shows; `refresh_hash`: of what an app renews it by. `seen_us` to the
    minute; it is over at `until_us`, or since `ended_us`.
    """

    __tablename__ = "logins"

    tenant_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    person_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    refresh_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    address: Mapped[str] = mapped_column(Text, default="")
    agent: Mapped[str] = mapped_column(Text, default="")
    created_us: Mapped[int] = mapped_column(Big)
    seen_us: Mapped[int] = mapped_column(Big)
    until_us: Mapped[int] = mapped_column(Big)
    ended_us: Mapped[int | None] = mapped_column(Big)

    __table_args__ = (Index(None, "tenant_id", "person_id"),)


class Secret(Base):
    """A secret of this centre, made at its first start and shared by its instances."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
