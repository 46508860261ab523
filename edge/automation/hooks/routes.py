"""/v1/hooks: outgoing webhooks and their deliveries."""

from __future__ import annotations

from collections.abc import Callable

from edge.automation.hooks.hooks import Hooks
from edge.automation.hooks.model import Delivery, Hook, check_events, check_list, check_name
from edge.clock import iso
from edge.errors import BadInput
from edge.outbound import checked_url
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.hooks import AddHook, ChangeHook, DeliveryView, HookView, NewHookView, Retried

STATES = ("", "waiting", "delivered", "dead")


class HookRoutes:
    """The routes of this capability. `device_id(name)` is the id of a device by any name. Raises NotFound."""

    def __init__(self, hooks: Hooks, device_id: Callable[[str], str]) -> None:
        self._hooks, self._device_id = hooks, device_id

    def all(self) -> list[Route]:
        """Every route."""
        tech, admin, view, message = Role.TECHNICIAN, Role.ADMIN, HookView, DeliveryView
        one, outbox = "/v1/hooks/{hook}", "/v1/hooks/{hook}/deliveries"
        add, again = "Make a webhook; its secret is shown this once", "Send a dead message again"
        rotate = "A new secret, shown this once; the old one is good for another day"
        every = "Its messages, newest first; `state` is waiting, delivered or dead"
        new = NewHookView
        return [
            Route("GET", "/v1/hooks", self.every, "All webhooks", tech, returns=view, many=True),
            Route("POST", "/v1/hooks", self.add, add, admin, body=AddHook, returns=new, created=True),
            Route("GET", one, self.one, "One webhook, by id or name", tech, returns=view),
            Route(
                "PATCH", one, self.change, "Change it, or turn it off and on", admin, body=ChangeHook, returns=view
            ),
            Route("DELETE", one, self.delete, "Remove it, with what waits for it", admin),
            Route("POST", one + "/rotate", self.rotate, rotate, admin, returns=new),
            Route("POST", one + "/test", self.test, "Send it a test", tech, returns=message, created=True),
            Route(
                "POST", one + "/retry", self.retry_all, "Send all its dead messages again", tech, returns=Retried
            ),
            Route("GET", outbox, self.deliveries, every, tech, returns=message, many=True, query=("state",)),
            Route("GET", outbox + "/{delivery}", self.delivery, "One message", tech, returns=message),
            Route("POST", outbox + "/{delivery}/retry", self.retry, again, tech, returns=Retried),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/hooks."""
        counts = await self._hooks.counts()
        return Page([_view(hook, counts) for hook in self._hooks.all()])

    async def add(self, call: Call) -> Answer:
        """POST /v1/hooks."""
        wanted: AddHook = call.body
        hook = await self._hooks.add(
            wanted.name,
            wanted.url,
            wanted.events,
            devices=[self._device_id(name) for name in wanted.devices],
            keys=wanted.keys,
            secret=wanted.secret,
            actor=call.actor,
        )
        return Created(NewHookView(id=hook.id, name=hook.name, secret=hook.secret))

    async def one(self, call: Call) -> Answer:
        """GET /v1/hooks/{hook}."""
        return _view(self._hook(call), await self._hooks.counts())

    async def change(self, call: Call) -> Answer:
        """PATCH /v1/hooks/{hook}."""
        wanted: ChangeHook = call.body
        changes: dict[str, object] = {}
        if wanted.name is not None:
            changes["name"] = check_name(wanted.name)
        if wanted.url is not None:
            changes["url"] = wanted.url
        if wanted.events is not None:
            changes["events"] = check_events(wanted.events)
        if wanted.devices is not None:
            changes["devices"] = check_list([self._device_id(name) for name in wanted.devices], "devices")
        if wanted.keys is not None:
            changes["keys"] = check_list(wanted.keys, "keys")
        if wanted.enabled is not None:
            changes["enabled"] = wanted.enabled
        changed = await self._hooks.change(self._hook(call), changes, actor=call.actor)
        return _view(changed, await self._hooks.counts())

    async def delete(self, call: Call) -> Answer:
        """DELETE /v1/hooks/{hook}."""
        await self._hooks.delete(self._hook(call), actor=call.actor)
        return None

    async def rotate(self, call: Call) -> Answer:
        """POST /v1/hooks/{hook}/rotate."""
        hook = await self._hooks.rotate(self._hook(call), actor=call.actor)
        return NewHookView(id=hook.id, name=hook.name, secret=hook.secret)

    async def test(self, call: Call) -> Answer:
        """POST /v1/hooks/{hook}/test."""
        return Created(_message(await self._hooks.test(self._hook(call))))

    async def retry_all(self, call: Call) -> Answer:
        """POST /v1/hooks/{hook}/retry."""
        return Retried(count=await self._hooks.retry(self._hook(call)))

    async def deliveries(self, call: Call) -> Answer:
        """GET /v1/hooks/{hook}/deliveries."""
        state = call.query("state")
        if state not in STATES:
            raise BadInput("`state` is waiting, delivered or dead.")
        found, cursor = await self._hooks.deliveries(
            self._hook(call), state=state, before=call.cursor(), limit=call.limit()
        )
        return Page([_message(delivery) for delivery in found], cursor)

    async def delivery(self, call: Call) -> Answer:
        """GET /v1/hooks/{hook}/deliveries/{delivery}."""
        return _message(await self._hooks.delivery(self._hook(call), call.param("delivery")))

    async def retry(self, call: Call) -> Answer:
        """POST /v1/hooks/{hook}/deliveries/{delivery}/retry."""
        return Retried(count=await self._hooks.retry(self._hook(call), call.param("delivery")))

    def _hook(self, call: Call) -> Hook:
        return self._hooks.get(call.param("hook"))


def _view(hook: Hook, counts: dict[tuple[str, str], int]) -> HookView:
    target = checked_url(hook.url)
    hidden = "/…" if target.path_qs != "/" else "/"  # many receivers have their secret in the path
    return HookView(
        id=hook.id,
        name=hook.name,
        url=f"{target.origin()}{hidden}",
        events=list(hook.events),
        devices=sorted(hook.devices),
        keys=sorted(hook.keys),
        enabled=hook.enabled,
        waiting=counts.get((hook.id, "waiting"), 0),
        dead=counts.get((hook.id, "dead"), 0),
        dropped=counts.get((hook.id, "dropped"), 0),
        secret_changed_at=iso(hook.changed.at_us) if hook.changed else None,
        created_at=iso(hook.created_us),
        created_by=hook.created_by,
    )


def _message(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        hook=delivery.hook_id,
        event=delivery.event,
        state=delivery.state,
        attempts=delivery.attempts,
        status=delivery.status,
        reason=delivery.reason,
        created_at=iso(delivery.created_us),
        ended_at=iso(delivery.ended_us) if delivery.ended_us else None,
    )
