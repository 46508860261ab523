"""A form with a file, cut anywhere on its way, is the same form; what is none is refused."""

from __future__ import annotations

import asyncio
from unittest import mock

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from cloud.web.receiving import FIELD_BYTES, Received
from edge.errors import BadInput, OutpostError, TooLarge

MARK = "----abc"
FILE = b"\r\n--" + MARK.encode()[:5] + b"\r\n\r\n--not\x00" + bytes(range(256))  # as like a mark as can be
HEAD = b'Content-Disposition: form-data; name="%b"'


def field(name: bytes, value: bytes) -> bytes:
    return b"--" + MARK.encode() + b"\r\n" + HEAD % name + b"\r\n\r\n" + value + b"\r\n"


def file(name: bytes = b"x.bin", data: bytes = FILE) -> bytes:
    head = HEAD % b"file" + b'; filename="%b"' % name + b"\r\nContent-Type: application/octet-stream"
    return b"--" + MARK.encode() + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n"


END = b"--" + MARK.encode() + b"--\r\n"
WHOLE = field(b"notes", "für".encode()) + field(b"empty", b"") + file() + END


def request(body: bytes, *cuts: int, kind: str = f"multipart/form-data; boundary={MARK}") -> web.Request:
    stream = aiohttp.StreamReader(mock.Mock(_reading_paused=False), 2**16, loop=asyncio.get_running_loop())
    begin = 0
    for cut in (*cuts, len(body)):
        stream.feed_data(body[begin:cut])
        begin = cut
    stream.feed_eof()
    return make_mocked_request("POST", "/", headers={"Content-Type": kind}, payload=stream)


async def received(made: web.Request, most: int = 10_000) -> tuple[dict[str, str], bytes]:
    form = Received(made, most)
    fields = dict(await form.fields())
    return fields, b"".join([piece async for piece in form.file(most, 30.0)])


async def test_wherever_it_is_cut_it_is_the_same() -> None:
    for cut in range(1, len(WHOLE)):
        fields, data = await received(request(WHOLE, cut, min(cut + 3, len(WHOLE))))
        assert fields == {"notes": "für", "empty": ""}, cut
        assert data == FILE, cut


async def test_a_file_may_be_empty_and_have_any_name() -> None:
    assert await received(request(file(b"a%22; name=x.bin", b"") + END)) == ({}, b"")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (WHOLE, "application/x-www-form-urlencoded"),
        (WHOLE, "multipart/form-data"),
        (WHOLE, "multipart/form-data; boundary=another"),
        (b"", f"multipart/form-data; boundary={MARK}"),
        (END, f"multipart/form-data; boundary={MARK}"),
        (field(b"notes", b"x") + END, f"multipart/form-data; boundary={MARK}"),
        (file(b"", b"") + END, f"multipart/form-data; boundary={MARK}"),
        (WHOLE[: -len(END)], f"multipart/form-data; boundary={MARK}"),
        (field(b"notes", b"x" * (FIELD_BYTES + 1)) + file() + END, f"multipart/form-data; boundary={MARK}"),
        (field(b"n", b"") * 17 + file() + END, f"multipart/form-data; boundary={MARK}"),
        (b"x" * 100_000, f"multipart/form-data; boundary={MARK}"),
        (b"--" + MARK.encode() + b"\r\nX: y\r\n\r\nz\r\n" + END, f"multipart/form-data; boundary={MARK}"),
    ],
)
async def test_what_is_no_such_form_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(OutpostError) as refused:
        await received(request(body, kind=kind))
    assert isinstance(refused.value, BadInput)


async def test_a_file_that_is_too_large_is_refused_before_all_of_it_is_read() -> None:
    with pytest.raises(TooLarge):
        await received(request(file(data=bytes(50_000)) + END, 9_000, 20_000, 30_000), most=10_000)
