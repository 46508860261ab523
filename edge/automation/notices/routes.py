"""/v1/notices: what people were told, newest first."""

from __future__ import annotations

from edge.automation.notices.notices import Notices
from edge.automation.notices.store import Notice
from edge.clock import iso
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.notices import NoticeView


class NoticeRoutes:
    """The routes of this capability."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def all(self) -> list[Route]:
        """Every route."""
        what = "What people were told, newest first"
        return [Route("GET", "/v1/notices", self.list, what, Role.VIEWER, returns=NoticeView, many=True)]

    async def list(self, call: Call) -> Answer:
        """GET /v1/notices."""
        found, following = await self._notices.everybodys(call.cursor(), call.limit())
        return Page([notice_view(notice) for notice in found], str(following) if following else None)


def notice_view(notice: Notice) -> NoticeView:
    """A notice as /v1 shows it."""
    return NoticeView(
        id=notice.id,
        at=iso(notice.at_us),
        type=notice.type,
        title=notice.title,
        message=notice.message,
        owner=notice.owner,
        device=notice.device_id,
        widget=notice.widget_id,
        read=notice.read,
    )
