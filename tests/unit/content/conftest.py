"""Payloads as the field has them, and pictures made on the spot: good ones and bombs."""

import io
import struct
import zlib

import pytest
from PIL import Image

from edge.content.render import PANELS, render_qr

EMV = (
    "00020101021226330015com.example.pay011012345678905204581253033565406125.005802IN"
    "5912OUTPOST CAFE6009BENGALURU62140510ORD-0001236304B035"
)
UPI = "upi://pay?pa=outpost.cafe@examplebank&pn=Outpost%20Cafe&am=125.00&cu=INR&tn=ORD-000123&tr=4711"
URL = "https://pay.example.com/i/8f3c2b7e-OUTPOST-000123?amt=12500"


@pytest.fixture(scope="session")
def emv() -> str:
    return EMV


@pytest.fixture(params=[EMV, UPI, URL], ids=["emv", "upi", "url"])
def payload(request) -> str:
    return request.param


@pytest.fixture(scope="session")
def qr_png() -> bytes:
    """A PNG of the EMV code, as a browser would send it."""
    return render_qr(EMV, PANELS["nic-client"]).data


@pytest.fixture(scope="session")
def saved():
    def save(image: Image.Image, kind: str, **options) -> bytes:
        out = io.BytesIO()
        image.save(out, kind, **options)
        return out.getvalue()

    return save


@pytest.fixture(scope="session")
def blank_png():
    """A white 1-bit PNG of any size, made without holding it: the bombs."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def make(width: int, height: int, rows: int | None = None) -> bytes:
        squeeze = zlib.compressobj(9)
        row = b"\0" + b"\xff" * ((width + 7) // 8)
        body = b"".join(squeeze.compress(row) for _ in range(height if rows is None else rows)) + squeeze.flush()
        head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")

    return make
