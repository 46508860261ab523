"""Which app a board starts, from every state that flash and storage can be in, and after a cut at every write."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.board import ROOT

sys.path.insert(0, str(ROOT / "firmware"))

import outpost_boot
from outpost_boot import MISSES_MAX, POWER, STARTS_MAX, WATCHDOG, chosen, failed

Values = dict[str, object]


class Cut(Exception):
    """The power goes."""


class Stored(outpost_boot.Store):
    """Values; the power goes before write number `cut`."""

    def __init__(self, values: Values, cut: int = -1, *, full: bool = False) -> None:
        self.values, self.cut, self.writes, self.full = dict(values), cut, 0, full

    def number(self, key: str, default: int) -> int:
        return int(str(self.values.get(key, default)))

    def set_number(self, key: str, value: int) -> None:
        self._set(key, value)

    def text(self, key: str) -> str:
        return str(self.values.get(key, ""))

    def set_text(self, key: str, text: str) -> None:
        if self.full:
            raise OSError(-0x1105)  # there is room for a number yet, and for no text
        self._set(key, text)

    def forget(self, key: str) -> None:
        if key in self.values:
            self._set(key, None)
            del self.values[key]

    def _set(self, key: str, value: object) -> None:
        if self.writes == self.cut:
            raise Cut
        self.writes += 1
        self.values[key] = value


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in "ab":
        (tmp_path / folder).mkdir()
    return tmp_path


def put(root: Path, there: str) -> None:
    """Let these folders hold an app."""
    for folder in "ab":
        manifest = root / folder / "manifest"
        if folder in there:
            manifest.touch()
        else:
            manifest.unlink(missing_ok=True)


def states() -> Iterator[tuple[str, Values, str]]:
    """Folders that hold an app, what is stored, why the board starts."""
    choices: dict[str, tuple[object, ...]] = {
        "slot": (None, 0, 1, 7),
        "ok": (None, 0, 1, 2),
        "try": (None, 0, 1, 2),
        "why": (None, "KeyError: x"),
    }
    for there, cause in itertools.product(("", "a", "b", "ab"), ("", WATCHDOG)):
        for values in itertools.product(*choices.values()):
            yield there, {k: v for k, v in zip(choices, values, strict=True) if v is not None}, cause


def test_a_whole_app_starts_if_there_is_one_and_after_a_cut_as_well(root: Path) -> None:
    for there, values, cause in states():
        put(root, there)
        store = Stored(values)
        started = chosen(store, str(root), cause)
        assert started == "" if not there else started[-1] in there, (there, values)
        for cut in range(store.writes):
            broken = Stored(values, cut)
            with pytest.raises(Cut):
                chosen(broken, str(root), cause)
            again = chosen(Stored(broken.values), str(root), cause)
            assert (again[-1:] in there) or not there, (there, values, cut)


def test_a_trial_ends_after_its_starts_or_at_once_when_somebody_knows_why(root: Path) -> None:
    put(root, "ab")
    trial: Values = {"slot": 1, "ok": 1, "try": 0}
    store = Stored(trial)
    for _ in range(STARTS_MAX):
        assert chosen(store, str(root), "")[-1] == "b"
    assert (chosen(store, str(root), "")[-1], store.values["back"]) == ("a", POWER)
    store = Stored({**trial, "try": 1})
    assert (chosen(store, str(root), WATCHDOG)[-1], store.values["back"]) == ("a", WATCHDOG)
    store = Stored(trial)
    assert chosen(store, str(root), WATCHDOG)[-1] == "b"  # the watchdog bit another app than this one
    failed(store, str(root), False, "ImportError: no module")
    assert (chosen(store, str(root), "")[-1], store.values["back"]) == ("a", "ImportError: no module")


def test_a_confirmed_app_keeps_its_place_whatever_happens_while_it_runs(root: Path) -> None:
    put(root, "ab")
    store = Stored({"slot": 0, "ok": 1})
    for _ in range(5):
        assert chosen(store, str(root), WATCHDOG)[-1] == "a"
        failed(store, str(root), True, "OSError: 5")
    assert "back" not in store.values


def test_one_that_cannot_be_loaded_keeps_it_only_while_there_is_no_other(root: Path) -> None:
    put(root, "a")
    store = Stored({"slot": 0, "ok": 1})
    for _ in range(3):
        failed(store, str(root), False, "ImportError: x")
        assert chosen(store, str(root), "")[-1] == "a"
    put(root, "ab")
    for _ in range(MISSES_MAX):
        assert chosen(store, str(root), "")[-1] == "a"
        failed(store, str(root), False, "ImportError: x")
    assert (chosen(store, str(root), "")[-1], store.values["back"]) == ("b", "ImportError: x")


def test_one_miss_is_forgiven(root: Path) -> None:
    put(root, "ab")
    store = Stored({"slot": 0, "ok": 1})
    for _ in range(5):
        failed(store, str(root), False, "MemoryError: ")
        outpost_boot.started(store)
        assert chosen(store, str(root), "")[-1] == "a"


def test_the_other_one_is_on_trial_and_never_confirmed_by_that(root: Path) -> None:
    """It went back once: if it fails again, the board returns to what was confirmed, by now perhaps whole."""
    put(root, "ab")
    store = Stored({"slot": 0, "ok": 1, "why": "what it went back for before"})
    for _ in range(MISSES_MAX):
        failed(store, str(root), False, "ImportError: x")
    for _ in range(STARTS_MAX):
        assert chosen(store, str(root), "")[-1] == "b"
    assert chosen(store, str(root), "")[-1] == "a"


def test_a_board_without_room_for_words_starts_all_the_same(root: Path) -> None:
    for there, values, cause in states():
        put(root, there)
        plain, full = Stored(values), Stored(values, full=True)
        assert chosen(full, str(root), cause) == chosen(plain, str(root), cause)
    put(root, "ab")
    trial = Stored({"slot": 1, "ok": 1, "try": 0}, full=True)
    assert chosen(trial, str(root), "")[-1] == "b"
    failed(trial, str(root), False, "ImportError: x")
    assert chosen(trial, str(root), "")[-1] == "a"


def test_a_board_that_was_just_given_an_app_has_nothing_stored(root: Path) -> None:
    for there in "ab":
        put(root, there)
        assert chosen(Stored({}), str(root), "")[-1] == there
    put(root, "")
    assert chosen(Stored({"slot": 1, "ok": 1}), str(root), "") == ""


def test_what_an_error_says_is_one_short_line_of_plain_characters() -> None:
    line = outpost_boot.in_a_line(ValueError("ä\n" + "x" * 500))
    assert line.startswith("ValueError: ??x")
    assert len(line) == outpost_boot.WHY_CHARS


def test_an_app_that_raises_is_told_apart_from_one_that_ends(root: Path) -> None:
    put(root, "ab")
    store = Stored({"slot": 1, "ok": 1, "try": 0})

    def load(folder: str) -> object:
        raise ImportError("gone")

    with pytest.raises(ImportError):
        outpost_boot.start(store, str(root), "", load)  # type: ignore[arg-type]  # it never returns
    assert store.values["why"] == "ImportError: gone"
