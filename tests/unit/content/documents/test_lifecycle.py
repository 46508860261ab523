"""Whatever people and head office do to a document: what is published stays until somebody publishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.content.documents.lifecycle import (
    NEW,
    Became,
    Stale,
    Standing,
    dropped,
    publish,
    remove,
    save,
    take,
)

BODIES = st.sampled_from(["a", "b", "c", "d"])


class Lifecycle(RuleBasedStateMachine):
    """A document, and what a careful person would have written down about it."""

    def __init__(self) -> None:
        super().__init__()
        self.at: Standing = NEW
        self.versions: dict[int, str] = {}
        self.shown = ""  # what panels show
        self.numbers: list[int] = []  # every number ever given out

    def became(self, after: Standing, body: str) -> None:
        if after.newest > self.at.newest:
            self.versions[after.newest] = body
            self.numbers.append(after.newest)
        self.at = after

    @rule(body=BODIES)
    def saves_what_he_saw(self, body: str) -> None:
        shown = self.at.version_hash
        seen = self.at.revision if self.at.here else 0
        after = save(self.at, body, seen)
        assert after.revision >= self.at.revision
        assert after.version_hash == shown
        self.became(after, body)
        assert self.at.hash == body

    @rule(body=BODIES, behind=st.integers(1, 5))
    def saves_over_another(self, body: str, behind: int) -> None:
        seen = self.at.revision - behind if self.at.here else behind
        with pytest.raises(Stale):
            save(self.at, body, seen)

    @precondition(lambda self: self.at.here)
    @rule()
    def publishes_the_draft(self) -> None:
        draft, drafted, before = self.at.hash, self.at.drafted, self.at
        self.became(publish(self.at, draft), draft)
        self.shown = draft
        assert not self.at.drafted
        assert self.at.hash == draft
        assert (self.at.newest > before.newest) is drafted

    @precondition(lambda self: self.versions)
    @rule(data=st.data())
    def goes_back(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.versions)))
        body, drafted, draft = self.versions[number], self.at.drafted, self.at.hash
        self.became(publish(self.at, body), body)
        self.shown = body
        assert self.at.version_hash == body
        assert self.at.hash == (draft if drafted else body), "what somebody writes stays"

    @rule(body=BODIES, base=st.sampled_from(["", "a", "b", "c", "d"]))
    def head_office_sends(self, body: str, base: str) -> None:
        before = self.at
        after, became = take(self.at, body, [base])
        self.became(after, body)
        if became is Became.CONFLICT:
            assert base != before.version_hash
            assert self.at.version_hash == before.version_hash
            assert self.versions[self.at.conflict] == body
        else:
            assert base == before.version_hash or body == before.version_hash
            self.shown = body
            assert self.at.version_hash == body
        if before.here and before.drafted:
            assert (self.at.hash, self.at.revision) == (before.hash, before.revision)

    @precondition(lambda self: self.at.here)
    @rule()
    def is_removed(self) -> None:
        self.at = remove(self.at)
        self.shown, self.versions = "", {}
        assert not self.at.here

    @invariant()
    def panels_show_what_was_last_published(self) -> None:
        assert self.at.version_hash == self.shown
        assert bool(self.at.version) is bool(self.shown)
        assert not self.at.version or self.versions[self.at.version] == self.shown

    @invariant()
    def no_number_comes_twice(self) -> None:
        assert self.numbers == list(range(1, len(self.numbers) + 1))
        assert self.at.newest == len(self.numbers)

    @invariant()
    def what_waits_is_never_what_is_shown(self) -> None:
        assert not self.at.conflict or self.at.conflict != self.at.version


TestLifecycle = Lifecycle.TestCase


@given(st.sets(st.integers(1, 80), min_size=1), st.integers(1, 20), st.data())
def test_the_oldest_versions_go_but_not_what_is_needed(versions: set[int], kept: int, data: st.DataObject) -> None:
    needed = [0, *sorted(versions)]
    at = Standing(version=data.draw(st.sampled_from(needed)), conflict=data.draw(st.sampled_from(needed)))
    gone = dropped(versions, at, kept)
    left = versions - set(gone)
    assert {at.version, at.conflict} - {0} <= left
    assert len(left) <= max(kept, 2)
    removable = left - {at.version, at.conflict}
    assert not gone or not removable or max(gone) < min(removable)
    assert not gone or len(left) >= kept


def test_the_same_draft_again_is_no_new_revision() -> None:
    at = save(NEW, "a", 0)
    assert save(at, "a", 1) == at
    assert save(at, "a", 1, renamed=True).revision == 2


def test_publishing_anything_settles_what_waits() -> None:
    at = publish(save(NEW, "a", 0), "a")
    at, became = take(at, "b", ["x"])
    assert (became, at.conflict, at.version) == (Became.CONFLICT, 2, 1)
    assert publish(at, "a") == Standing(revision=1, hash="a", version=1, version_hash="a", newest=2)
    theirs = publish(at, "b")
    assert (theirs.version, theirs.version_hash, theirs.conflict, theirs.hash) == (3, "b", 0, "b")
