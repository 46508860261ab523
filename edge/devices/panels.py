"""What a device's panel is called here: by the size and form that its hello says."""

from __future__ import annotations

from edge.wire.native import Panel

ONE_BIT = "1bpp-zlib"
DISPLAY = "display"
EPAPER = "eink"  # the kind of device whose panel is e-paper


def panel_name(panel: Panel | None, kind: str) -> str | None:
    """`eink-800x480`, `tft-320x480`; '' for a device without a panel, or with one in a form that is not known; None
    for a display that says nothing of it: it has one all the same."""
    if panel is None and kind == DISPLAY:
        return None
    if panel is None or panel.format != ONE_BIT:
        return ""
    family = "eink" if kind == EPAPER else "tft"
    return f"{family}-{panel.width}x{panel.height}"
