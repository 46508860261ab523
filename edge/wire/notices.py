"""What people are told, as the /v1 API shows it."""

from __future__ import annotations

from edge.wire.views import View


class NoticeView(View, frozen=True, kw_only=True):
    """One notice. `owner` is the account it is for, "" the site's technicians; `device` and `widget` may be ""."""

    id: str
    at: str
    type: str
    title: str
    message: str
    owner: str
    device: str
    widget: str
    read: bool
