"""The JSON of /v1/hooks: outgoing webhooks and their deliveries."""

from __future__ import annotations

import msgspec

from edge.wire.views import Request, View


class HookView(View, frozen=True, kw_only=True):
    """One webhook. `url` without its path and query, where many receivers have a secret.

    `dropped`: messages that made room for newer ones since one last arrived. `dead`: those given up, which `retry`
    sends again.
    """

    id: str
    name: str
    url: str
    events: list[str]
    devices: list[str]
    keys: list[str]
    enabled: bool
    waiting: int
    dead: int
    dropped: int
    secret_changed_at: str | None
    created_at: str
    created_by: str


class NewHookView(View, frozen=True, kw_only=True):
    """A webhook just made, or its new secret; `secret` is shown this once."""

    id: str
    name: str
    secret: str


class DeliveryView(View, frozen=True, kw_only=True):
    """One message to one webhook. `state`: waiting, delivered, dead. `status`: what the receiver answered last."""

    id: str
    hook: str
    event: str
    state: str
    attempts: int
    status: int | None
    reason: str
    created_at: str
    ended_at: str | None


class Retried(View, frozen=True, kw_only=True):
    """How many dead messages are sent again."""

    count: int


class AddHook(Request, frozen=True, kw_only=True):
    """POST /v1/hooks. Without `secret` one is made; empty `devices` and `keys` mean all.

    `events`: `reading`, `command` (or `command.failed` and the like), `vend`, `device`.
    """

    name: str
    url: str
    events: list[str]
    devices: list[str] = msgspec.field(default_factory=list)
    keys: list[str] = msgspec.field(default_factory=list)
    secret: str = ""


class ChangeHook(Request, frozen=True, kw_only=True):
    """PATCH /v1/hooks/{hook}; what is left out stays."""

    name: str | None = None
    url: str | None = None
    events: list[str] | None = None
    devices: list[str] | None = None
    keys: list[str] | None = None
    enabled: bool | None = None
