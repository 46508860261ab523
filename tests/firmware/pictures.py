"""Pictures for the panel: black squares of a payment QR's density, and the worst there can be."""

from __future__ import annotations

import random
import zlib

import segno

from edge.wire.orders import Order

WIDTH, HEIGHT = 320, 480
STRIDE = WIDTH // 8
PAYLOAD = (
    "00020101021226330015com.example.pay011012345678905204581253033565406125.005802IN5912OUTPOST CAFE"
    "6009BENGALURU62140510ORD-0001236304B035"
)


def qr(payload: str = PAYLOAD) -> bytes:
    """A QR on the whole panel as the protocol's bitmap: a set bit is white."""
    code = segno.make(payload, error="m", micro=False)
    scale = WIDTH // code.symbol_size(border=4)[0]
    rows = ["".join("0" if dark else "1" for dark in row) for row in code.matrix_iter(scale=scale, border=4)]
    margin = (HEIGHT - len(rows)) // 2
    lines = ["1" * WIDTH] * margin + [row.center(WIDTH, "1") for row in rows]
    lines += ["1" * WIDTH] * (HEIGHT - len(lines))
    return b"".join(int(line, 2).to_bytes(STRIDE, "big") for line in lines)


def noise(seed: int, rows: int = HEIGHT) -> bytes:
    """A picture whose first rows do not compress; STRIDE bytes of each go over the wire."""
    return random.Random(seed).randbytes(STRIDE * rows) + bytes(STRIDE * (HEIGHT - rows))


def packed(bitmap: bytes) -> bytes:
    """For the wire, with a window the board inflates with ease."""
    packer = zlib.compressobj(9, wbits=12)
    return packer.compress(bitmap) + packer.flush()


def show(seq: int, bitmap: bytes, *, id: str = "", ttl_ms: int = 30_000, show_s: float = 60) -> Order:
    """An order to show a QR."""
    return Order(
        id=id or f"cmd-{seq}",
        seq=seq,
        kind="display_qr",
        ttl_ms=ttl_ms,
        args={"show_s": show_s},
        blob=packed(bitmap),
    )


def order(seq: int, kind: str, *, blob: bytes = b"", ttl_ms: int = 30_000, **args: int) -> Order:
    """Any other order."""
    return Order(id=f"cmd-{seq}", seq=seq, kind=kind, ttl_ms=ttl_ms, args=dict(args), blob=blob)
