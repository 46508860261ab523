"""Drawing for panels: pixels in, bytes out. No files, no sockets, no clock; hub and centre share it."""

from edge.content.render.encode import Rendered
from edge.content.render.panels import PANELS, Panel, PanelFormat, panel_named
from edge.content.render.photo import render_photo
from edge.content.render.qr import read_qr
from edge.content.render.screen import render_qr

__all__ = ["PANELS", "Panel", "PanelFormat", "Rendered", "panel_named", "read_qr", "render_photo", "render_qr"]
