"""/v1/content: what a panel would show, before anybody sees it."""

from __future__ import annotations

import base64

from edge.content.codes.codes import Content, caption
from edge.content.render import panel_named, preview_png
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route
from edge.wire.views import Preview, PreviewRequest

ARGUMENTS = ("payload", "image", "caption", "amount")  # of display_qr, which a preview has too
PREVIEW_BAUD = 9600  # the slowest line in use: what it takes there is what a technician wants to know


class ContentRoutes:
    """The routes of this capability."""

    def __init__(self, content: Content) -> None:
        self._content = content

    def all(self) -> list[Route]:
        """Every route."""
        summary = "A QR code as a panel will show it, and what it costs on the line"
        path = "/v1/content/preview"
        return [
            Route("POST", path, self.preview, summary, Role.VIEWER, body=PreviewRequest, returns=Preview),
        ]

    async def preview(self, call: Call) -> Answer:
        """POST /v1/content/preview."""
        wanted: PreviewRequest = call.body
        panel = panel_named(wanted.panel)
        asked = {name: text for name in ARGUMENTS if (text := getattr(wanted, name))}
        args = await self._content.prepare_qr(asked)
        rendered = await self._content.qr(args["payload"], panel.name, caption(args))
        return Preview(
            panel=panel.name,
            width=rendered.width,
            height=rendered.height,
            module_px=rendered.module_px,
            bytes=len(rendered.data),
            seconds_on_line=round(len(rendered.data) * 10 / PREVIEW_BAUD, 3),
            content_hash=rendered.content_hash,
            png=base64.b64encode(preview_png(rendered.data, panel)).decode(),
        )
