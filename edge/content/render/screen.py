"""One payload to one panel's bytes, proved readable: the renderer's front door."""

from __future__ import annotations

from edge.content.render.encode import Rendered, decoded, encoded, rendered
from edge.content.render.page import draw_qr
from edge.content.render.panels import Panel, PanelFormat
from edge.content.render.qr import read_qr, symbol
from edge.content.render.small_jpeg import smallest_jpeg
from edge.errors import BadPicture


def render_qr(payload: str, panel: Panel, caption: str = "") -> Rendered:
    """`payload` as a QR code for `panel`, with `caption` beneath where there is room.

    The encoded bytes are decoded again and read: what is returned scans to exactly `payload`. Pure and a matter of
    10 to 60 ms of processor time: call it from a thread where a loop must not wait.
    Raises BadPicture: empty, too long, too fine for the panel, or not readable afterwards.
    """
    data, module_px = _encoded(payload, panel, caption)
    verify(data, panel, payload)
    return rendered(data, panel, module_px)


def verify(data: bytes, panel: Panel, payload: str) -> None:
    """Check that `data` shows `payload` on `panel`. Raises BadPicture when it does not."""
    seen = read_qr(decoded(data, panel))
    if seen != payload:
        raise BadPicture("the drawn code does not read back as its payload", hint="Send a shorter payload.")


def _encoded(payload: str, panel: Panel, caption: str) -> tuple[bytes, int]:
    if panel.format is PanelFormat.JPEG_GREY:
        return smallest_jpeg(symbol(payload), payload, panel, caption)
    page = draw_qr(payload, panel, caption)
    return encoded(page.image, panel).data, page.module_px
