"""Text: where lines break, how large they are set, which way they read, and what no font has."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.content.render import panel_named
from edge.content.render.scene import Given, draw, settle
from edge.content.render.scene.settled import Row
from edge.content.render.scene.signs import Hand, clean, runs, unknown_signs, width
from edge.content.render.scene.typesetting import SMALLEST_MONO_PX, Style, line_height, set_rows
from edge.content.render.scene.wrapping import shortened, wrapped
from edge.wire.layouts import Box, Layout, TextElement

HAND = Hand(20, False, True)
AS_LARGE = Style(size=0, bold=False, mono=True)
PANEL = panel_named("eink-800x480")
WORDS = st.text(st.sampled_from("ab -\u00e9\u05e9\u0301"), min_size=1, max_size=120)


def _by_count(text: str) -> float:
    return float(len(text))


@pytest.mark.parametrize(
    ("paragraph", "room", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 100, ["one two three"]),
        ("a well-kept list", 7, ["a well-", "kept", "list"]),
        ("down to -5 now", 8, ["down to", "-5 now"]),
        ("on 2026-11-21", 10, ["on", "2026-11-21"]),
        ("  set in", 20, ["  set in"]),
        ("", 5, [""]),
    ],
)
def test_lines_break_at_spaces_and_after_hyphens(paragraph: str, room: int, lines: list[str]) -> None:
    assert wrapped(paragraph, room, _by_count, break_words=False) == lines


def test_a_word_is_broken_only_when_it_may_be() -> None:
    assert wrapped("to abcdefghij", 4, _by_count, break_words=False) is None
    assert wrapped("to abcdefghij k", 4, _by_count, break_words=True) == ["to", "abcd", "efgh", "ij k"]
    assert wrapped("aaae\u0301b", 4, _by_count, break_words=True) == ["aaa", "e\u0301b"]  # its accent stays with it


@given(text=WORDS, room=st.integers(20, 300), break_words=st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_sign_is_lost_and_no_line_is_too_wide(text: str, room: int, break_words: bool) -> None:
    lines = wrapped(text, room, lambda part: width(part, HAND), break_words=break_words)
    if lines is not None:
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(width(line, HAND) <= room for line in lines)


def test_what_is_cut_ends_with_an_ellipsis() -> None:
    assert shortened("Machine hall", 8, _by_count) == "Machine…"
    assert shortened("Machine hall", 0, _by_count) == ""


def test_text_is_as_large_as_its_box_lets_it() -> None:
    small, large = (set_rows([Row("21.5 °C", wrap=True)], room, AS_LARGE) for room in ((100, 60), (400, 240)))
    assert small
    assert large
    for block, room in ((small, (100, 60)), (large, (400, 240))):
        (line,) = block.lines
        assert width(line.text, line.hand) <= room[0]
        assert block.height <= room[1]
        larger = Hand(line.hand.px + 1, False, True)
        assert width(line.text, larger) > room[0] or line_height(larger.px) > room[1]
    assert large.lines[0].hand.px > 3 * small.lines[0].hand.px


def test_the_size_asked_for_is_kept_where_it_fits_and_else_smaller() -> None:
    wide = set_rows([Row("Machine hall")], (400, 60), Style(24, False, True))
    narrow = set_rows([Row("Machine hall")], (90, 60), Style(24, False, True))
    assert wide
    assert narrow
    assert wide.lines[0].hand.px == 24
    assert SMALLEST_MONO_PX <= narrow.lines[0].hand.px < 24
    assert not narrow.cut


def test_too_much_text_is_cut_where_one_sees_it_and_said() -> None:
    block = set_rows([Row("word " * 200, wrap=True)], (200, 50), AS_LARGE)
    assert block
    assert block.cut
    assert {line.hand.px for line in block.lines} == {SMALLEST_MONO_PX}
    assert block.lines[-1].text.endswith("…")
    assert block.height <= 50
    assert all(width(line.text, line.hand) <= 200 for line in block.lines)


def test_a_label_gives_way_to_what_it_labels() -> None:
    rows = [Row("Hall", side=True), Row("21.5"), Row("3 h ago", side=True)]
    roomy, flat = set_rows(rows, (200, 120), AS_LARGE), set_rows(rows, (200, 20), AS_LARGE)
    assert roomy
    assert flat
    assert [len(part) for part in (roomy.above, roomy.lines, roomy.below)] == [1, 1, 1]
    assert [line.text for line in flat.lines] == ["21.5"]
    assert flat.left_out == ("Hall", "3 h ago")


def test_no_letters_at_all_in_a_box_too_small_for_them() -> None:
    assert set_rows([Row("a")], (200, 8), AS_LARGE) is None
    tiny = TextElement(box=Box(x=10, y=10, w=20, h=1), text="Hello")
    assert _warnings(tiny) == ["The box is too small for letters one can read: nothing is written in it."]


def test_right_to_left_text_is_seen_from_the_right() -> None:
    assert _seen("שלום 21") == "21 םולש"
    assert _seen("Temp (שלום)") == "Temp (םולש)"
    assert _seen("שלום (א)") == "(א) םולש"
    assert _seen("abc", "R") == "abc"
    assert _seen("א: abc!", "R") == "!abc :א"


def test_arabic_letters_are_joined_and_every_form_has_a_glyph() -> None:
    seen = _seen("مرحبا")
    assert seen != "مرحبا"[::-1]
    assert not unknown_signs("درجة الحرارة ٢١ ، پژگ")


def test_lines_of_a_paragraph_keep_its_direction() -> None:
    block = set_rows([Row("שלום abc def ghi", wrap=True)], (80, 100), Style(20, False, True))
    assert block
    assert len(block.lines) > 1
    assert {line.direction for line in block.lines} == {"R"}  # the last has no Hebrew letter


def test_signs_no_font_has_are_boxes_and_named() -> None:
    warnings = _warnings(TextElement(box=Box(x=0, y=0, w=100, h=30), text="ok 中 😀 ☀ ⚠"))
    assert warnings == ["No font here has 中 😀: an open box is drawn for each."]
    (first, *_) = runs("中", HAND)
    assert first.face == ""
    assert first.width > 0


def test_controls_and_halves_of_pairs_are_no_signs() -> None:
    assert clean("a\tb\r\nc\x00\ud800") == "a b\nc \N{REPLACEMENT CHARACTER}"
    assert clean("e\u0301") == "é"
    assert "".join(run.text for run in runs("a\u200f\ufe0fb", HAND)) == "ab"


def _seen(text: str, direction: str = "") -> str:
    return "".join(run.text for run in runs(text, HAND, direction))


def _warnings(element: TextElement) -> list[str]:
    drawn = draw(settle(Layout(elements=(element,)), Given(now_us=0), PANEL, 60), PANEL, lambda _: None)
    assert {note.level for note in drawn.notes} <= {"warning"}
    return [note.text for note in drawn.notes]
