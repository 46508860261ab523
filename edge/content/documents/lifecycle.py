"""What becomes of a document, as pure rules: drafts, versions, going back, and what head office sends.

A draft is saved only over the revision that its writer saw. Versions are numbered from 1 and never reused, not even
when a document was removed and is made anew: a receipt that names a version means one thing for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum

import msgspec

from edge.errors import Conflict


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a document stands. `hash`: of its draft; `version`: the published one, 0 for none, and `version_hash` its
    hash, '' for none; `newest`: the highest number given out; `conflict`: the version of head office that waits,
    0 for none."""

    revision: int = 0
    hash: str = ""
    version: int = 0
    version_hash: str = ""
    newest: int = 0
    conflict: int = 0
    removed: bool = False

    @property
    def here(self) -> bool:
        """Whether there is such a document."""
        return self.revision > 0 and not self.removed

    @property
    def drafted(self) -> bool:
        """Whether its draft is something else than what is published."""
        return self.hash != self.version_hash


NEW = Standing()


class Stale(Conflict):
    """Somebody else has saved the document since it was read."""


class Became(StrEnum):
    """What became of a version that head office sent."""

    PUBLISHED = "published"
    SAME = "same"
    CONFLICT = "conflict"


def save(at: Standing, draft: str, revision: int, *, renamed: bool = False) -> Standing:
    """The draft is what has this hash now; `renamed`: under another title. Raises Stale when `revision` is not the
    present one, as it was read; 0 for a document that is not there."""
    if revision != (at.revision if at.here else 0):
        raise Stale()
    if at.here and draft == at.hash and not renamed:
        return at
    return msgspec.structs.replace(at, revision=at.revision + 1, hash=draft, removed=False)


def publish(at: Standing, body: str) -> Standing:
    """What has this hash is published. The same body again is no new version; whatever waited of head office waits
    no longer. A draft that was what was published follows."""
    if body == at.version_hash:
        return msgspec.structs.replace(at, conflict=0)
    number = at.newest + 1
    after = msgspec.structs.replace(at, version=number, version_hash=body, newest=number, conflict=0)
    if at.drafted or at.hash == body:
        return after
    return msgspec.structs.replace(after, revision=at.revision + 1, hash=body)


def take(at: Standing, body: str, bases: Collection[str]) -> tuple[Standing, Became]:
    """Head office sends what has this hash, written over what has one of these hashes, '' for nothing. A draft that
    somebody writes here stays as it is."""
    if not at.here:
        at = msgspec.structs.replace(at, revision=at.revision + 1, hash=body, removed=False)
        if "" in bases:
            return publish(at, body), Became.PUBLISHED
        return _set_aside(at), Became.CONFLICT
    if body == at.version_hash:
        return publish(at, body), Became.SAME
    if at.version_hash in bases:
        return publish(at, body), Became.PUBLISHED
    return _set_aside(at), Became.CONFLICT


def remove(at: Standing) -> Standing:
    """It is gone; its numbers go on should it come again."""
    return Standing(revision=at.revision, newest=at.newest, removed=True)


def dropped(versions: Iterable[int], at: Standing, kept: int) -> list[int]:
    """Which versions go so that `kept` stay: the oldest, but never the published one, nor one that waits."""
    removable = sorted(set(versions) - {at.version, at.conflict})
    more = len(set(versions)) - kept
    return removable[:more] if more > 0 else []


def _set_aside(at: Standing) -> Standing:
    number = at.newest + 1
    return msgspec.structs.replace(at, newest=number, conflict=number)
