"""Telling a picture's forms apart, by rule."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.content.intake.forms import MAX_PICTURE_BYTES, PayloadText, PictureFile, PictureUrl, parse_source
from edge.errors import BadPicture, TooLarge

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
PACKED = base64.b64encode(PNG).decode()
WRAPPED = base64.encodebytes(PNG).decode()
HEADS = (b"\x89PNG\r\n\x1a\n\0", b"\xff\xd8\xff", b"GIF89a", b"RIFF")
SPACES = st.text(" \t\r\n", max_size=3)


@pytest.mark.parametrize(
    "source",
    [
        PNG,
        f"data:image/png;base64,{PACKED}",
        f"  DATA:Image/PNG;Base64, {WRAPPED}\r\n",
        f"data:image/x-whatever;name=qr.png;base64,{PACKED}",
        f"data:;base64,{PACKED.rstrip('=')}",
        PACKED,
        WRAPPED,
        "\n" + PACKED[:3] + "\n" + PACKED[3:],
    ],
)
def test_files(source):
    assert parse_source(source) == PictureFile(PNG)


@pytest.mark.parametrize(
    "head", [b"\xff\xd8\xff\xe0", b"GIF89a", b"GIF87a", b"RIFF", b"BM\x36\x10\x0e\x00\0\0\0\0"]
)
def test_base64_of_every_format_is_known(head):
    assert parse_source(base64.b64encode(head + bytes(60)).decode()) == PictureFile(head + bytes(60))


@pytest.mark.parametrize("url", ["http://a.example/qr.png", "HTTPS://a.example/qr?x=1"])
def test_addresses(url):
    assert parse_source(url) == PictureUrl(url)


@pytest.mark.parametrize(
    "text",
    ["upi://pay?pa=a@b", "ftp://a.example/x", "0002010102", " spaces kept ", "QkFTRTY0", "iVB", "ABCDEFGH", "/9/j"],
)
def test_anything_else_is_the_payload_itself(text):
    assert parse_source(text) == PayloadText(text)


@pytest.mark.parametrize(
    "source",
    [
        "",
        " \n",
        "data:image/png;base64,",
        "data:image/png;base64,@@@@",
        f"data:image/png;base64,{PACKED[:-3]}*{PACKED[-2:]}",
        f"data:image/png;base64,{PACKED[:41]}",
        f"data:text/html;base64,{PACKED}",
        "data:image/svg+xml,<svg/>",
        "data:image/png;base64" + "x" * 400,
        "data:",
        PACKED[:40] + "é",
        "iVBORw0KGgo!",
    ],
)
def test_a_broken_form_is_an_error_not_a_payload(source):
    with pytest.raises(BadPicture):
        parse_source(source)


def test_too_many_bytes():
    packed = base64.b64encode(bytes(MAX_PICTURE_BYTES + 1)).decode()
    for source in (bytes(MAX_PICTURE_BYTES + 1), "data:image/png;base64," + packed, packed + packed):
        if source.__class__ is str and not source.startswith("data:"):
            source = "iVBORw0KGgo" + source
        with pytest.raises(TooLarge):
            parse_source(source)


@given(head=st.sampled_from(HEADS), body=st.binary(max_size=300), uri=st.booleans(), data=st.data())
def test_base64_comes_back_however_it_is_broken_up(head, body, uri, data):
    packed = base64.b64encode(head + body).decode()
    if data.draw(st.booleans(), "without ="):
        packed = packed.rstrip("=")
    cut = data.draw(st.integers(0, len(packed)))
    text = packed[:cut] + data.draw(SPACES) + packed[cut:]
    source = data.draw(SPACES) + ("data:image/png;base64," if uri else "") + text + data.draw(SPACES)
    assert parse_source(source) == PictureFile(head + body)


@given(st.text() | st.text("dataDATA:;,=http/ iVBORw0KGgR", max_size=40))
def test_any_text_is_one_of_the_forms_or_refused(text):
    try:
        parsed = parse_source(text)
    except (BadPicture, TooLarge):
        return
    if isinstance(parsed, PayloadText):
        assert parsed.text == text
        assert not text.strip().lower().startswith(("data:", "http://", "https://"))
    elif isinstance(parsed, PictureUrl):
        assert parsed.url == text.strip()


@given(st.binary(max_size=500))
def test_bytes_are_a_file_whatever_they_hold(data):
    assert parse_source(data) == PictureFile(data)
