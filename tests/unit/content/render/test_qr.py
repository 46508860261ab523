"""Reading QR codes and making them."""

import io

import pytest
import segno
from PIL import Image, ImageOps

from edge.content.render.qr import MIN_MODULE_PX, QUIET_MODULES, bitmap, largest_module, read_qr, symbol
from edge.errors import BadPicture


def drawn(content, scale=4, border=4, **options) -> Image.Image:
    out = io.BytesIO()
    segno.make_qr(content, **options).save(out, kind="png", scale=scale, border=border)
    return Image.open(out).convert("L")


@pytest.mark.parametrize("scale", [1, 2, 7])
@pytest.mark.parametrize("border", [0, 1, 4])
def test_reads_whatever_scale_and_margin(emv, scale, border):
    assert read_qr(drawn(emv, scale, border)) == emv


def test_reads_turned_and_inverted_codes(emv):
    assert read_qr(drawn(emv).rotate(90)) == emv
    assert read_qr(ImageOps.invert(drawn(emv))) == emv


@pytest.mark.parametrize("text", ["0123", "line\nbreak", "tab\tnul\0gs\x1d", "]C1 \\000026", " padded ", "<GS>"])
def test_text_is_kept_character_by_character(text):
    assert read_qr(drawn(text)) == text


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "shift_jis"])
def test_other_character_sets_read_as_phones_read_them(encoding):
    text = "日本語カード" if encoding == "shift_jis" else "Café Zürich"
    assert read_qr(drawn(text, encoding=encoding)) == text


def test_an_eci_rules():
    assert read_qr(drawn("Ünïcödé", encoding="iso8859-15", eci=True)) == "Ünïcödé"


def test_binary_is_refused_not_guessed():
    with pytest.raises(BadPicture, match="binary"):
        read_qr(drawn(b"\x00\xff\xfe\x80\x01\x02abc"))


@pytest.mark.parametrize("text", ["ং0", "é", "नमस्ते ₹", "日本", "\ufeffbom", "\x85\x90"])
def test_drawn_text_beyond_ascii_needs_no_luck(text):
    assert read_qr(bitmap(symbol(text), 4)) == text


def test_none_and_several():
    with pytest.raises(BadPicture, match="no QR code found"):
        read_qr(Image.new("L", (200, 200), 255))
    page = Image.new("L", (400, 200), 255)
    page.paste(drawn("one"), (0, 0))
    page.paste(drawn("two"), (200, 0))
    with pytest.raises(BadPicture, match="2 different"):
        read_qr(page)


def test_the_same_code_twice_is_one_code():
    page = Image.new("L", (400, 200), 255)
    page.paste(drawn("one"), (0, 0))
    page.paste(drawn("one"), (200, 0))
    assert read_qr(page) == "one"


def test_level_m_at_least_raised_where_it_is_free(emv):
    assert symbol(emv).designator == "8-M"
    assert symbol("short").error == "H"


@pytest.mark.parametrize("text", ["", "x" * 3000, "\ud800"])
def test_what_no_code_can_hold(text):
    with pytest.raises(BadPicture):
        symbol(text)


def test_the_largest_module_that_fits(emv):
    code = symbol(emv)
    assert largest_module(code, 320, 480) == 5
    assert bitmap(code, 5).size == (245, 245)
    assert 320 // (len(code.matrix) + 2 * QUIET_MODULES) == 5


def test_too_fine_for_the_panel_says_what_to_do(emv):
    with pytest.raises(BadPicture) as caught:
        largest_module(symbol(emv), 57 * MIN_MODULE_PX - 1, 480)
    assert "shorter" in caught.value.advice
