"""Drawing for panels: pixels in, bytes out. No files, no sockets, no clock; hub and centre share it."""

from edge.content.render.encode import Rendered, decoded, encoded, preview_png
from edge.content.render.panels import FAMILIES, PANELS, Panel, PanelFormat, panel_named
from edge.content.render.photo import render_photo
from edge.content.render.qr import read_qr
from edge.content.render.screen import render_qr
from edge.content.render.shades import dithered, flattened

__all__ = [
    "FAMILIES",
    "PANELS",
    "Panel",
    "PanelFormat",
    "Rendered",
    "decoded",
    "dithered",
    "encoded",
    "flattened",
    "panel_named",
    "preview_png",
    "read_qr",
    "render_photo",
    "render_qr",
]
