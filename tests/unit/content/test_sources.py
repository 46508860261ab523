"""Telling a picture's forms apart, by rule."""

import base64

import pytest

from edge.content.sources import MAX_PICTURE_BYTES, PayloadText, PictureFile, PictureUrl, parse_source
from edge.errors import BadPicture, TooLarge

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
PACKED = base64.b64encode(PNG).decode()
WRAPPED = base64.encodebytes(PNG).decode()


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
