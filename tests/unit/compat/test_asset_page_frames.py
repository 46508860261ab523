"""What the older asset logger's pages may say over Socket.IO is read before the library sees it."""

from __future__ import annotations

import pytest

from edge.compat.assets.pages.frames import TOKEN_CHARS, Said, read


@pytest.mark.parametrize(
    ("frame", "said", "handed_on"),
    [
        ('40{"token":"a.b.c"}', Said.TOKEN, '40{"token":"a.b.c"}'),
        ('40/,{"token": "Bearer a.b.c", "more": [1]}', Said.TOKEN, '40{"token":"a.b.c"}'),
        ("40", Said.TOKEN, '40{"token":""}'),
        ("40[1]", Said.TOKEN, '40{"token":""}'),
        ('40{"token":7}', Said.TOKEN, '40{"token":""}'),
        ('40{"token":"' + "x" * 9999 + '"}', Said.TOKEN, '40{"token":"' + "x" * TOKEN_CHARS + '"}'),
        ("3", Said.ALIVE, "3"),
        ("41", Said.ENDS, "41"),
        ("41/,", Said.ENDS, "41/,"),
        ("1", Said.ENDS, "1"),
    ],
)
def test_what_a_page_says_and_how_it_is_handed_on(frame: str, said: Said, handed_on: str) -> None:
    assert read(frame) == (said, handed_on)


@pytest.mark.parametrize(
    "frame",
    [
        "", "4", "42", '42["message"]', "43", "44", "45", "451-[]", "49999", "9", "x", "2", "3probe", "6", "b4",
        b"4", b"", "40{", "40/other,{}", '40{"token":"\\ud800"}', "40" + "[" * 60_000, "40NaN", "4\u0660", "\ud800",
    ],
)  # fmt: skip
def test_all_else_is_words_and_not_handed_on(frame: str | bytes) -> None:
    assert read(frame) == (Said.WORDS, "")
