"""Text of strangers on a panel."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.content.sources.plain import TEXT_CHARS, plain


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Tom &amp; Jerry&#39;s &quot;day&quot;", 'Tom & Jerry\'s "day"'),
        ("<p>One</p><p>Two<br/>Three</p>", "One Two Three"),
        ('<a href="http://x/?a=1&b=2">link</a>ed', "linked"),
        ("before<script>alert('x')</script>after", "beforeafter"),
        ("before<STYLE>p { }</STYLE >after<script>never closed", "beforeafter"),
        ("seen<!-- not <b>seen</b> -->, too<!-- open", "seen, too"),
        ("if a < b and b > c", "if a < b and b > c"),
        ("List<String> i<3 you", "List<String> i<3 you"),
        ("a\r\n\tb\u00a0c\u2028d", "a b c d"),
        ("pay \u202e00.1\u202c now\u2066!\u2069", "pay 00.1 now!"),
        ("\x00\x1b[31mred\x07", "[31mred"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth softhyphen"),
        ("\ud83d alone", "alone"),
        ("مرحبا بالعالم", "مرحبا بالعالم"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("e\u0301", "é"),
        ("", ""),
    ],
)
def test_what_becomes_of_it(raw, text):
    assert plain(raw) == text


def test_what_is_too_long_ends_with_an_ellipsis():
    assert plain("x" * TEXT_CHARS) == "x" * TEXT_CHARS
    assert plain("x" * (TEXT_CHARS + 1)) == "x" * (TEXT_CHARS - 1) + "…"
    assert len(plain("<!--" * 100_000 + "&" * 100_000)) <= TEXT_CHARS


@given(st.text(alphabet=st.characters(), max_size=300))
def test_nothing_unseen_is_left(raw):
    text = plain(raw)
    assert text == " ".join(text.split())
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Co") for char in text)
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.lists(st.sampled_from(["<", ">", "!--", "-->", "script", "/", "b", " ", "&lt;", "&#", "x", ";", "p"])))
def test_no_tag_of_html_is_left_that_was_one(parts):
    plain("".join(parts))
    assert (
        plain(f"<b>{''.join(parts).replace('<', '').replace('>', '').replace('&', '')}</b>").startswith("<b")
        is False
    )
