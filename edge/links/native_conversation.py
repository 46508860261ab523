"""A device with our firmware, as a Conversation."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from edge.links.conversation import Approach, DeviceEvent, Json, OnEvent
from edge.links.native import NativeSession
from edge.links.spec import Profile
from edge.links.stream import ByteStream
from edge.wire.cable import ToDevice
from edge.wire.native import Panel, Running
from edge.wire.orders import Order, Outcome

EARLY_EVENTS_MAX = 32  # said between the handshake and `on_event` being set; older ones are shed


class NativeConversation:
    """A NativeSession and the port it runs over."""

    profile = Profile.NATIVE

    def __init__(self, stream: ByteStream, approach: Approach) -> None:
        self._stream, self._approach = stream, approach
        self._session: NativeSession
        self._early: list[DeviceEvent] = []
        self._listener: OnEvent | None = None

    @classmethod
    async def open(cls, stream: ByteStream, approach: Approach) -> NativeConversation:
        """An Opener: shake hands, raise the baud unless it is pinned. Raises LinkError."""
        conversation = cls(stream, approach)
        conversation._session = await NativeSession.open(
            stream,
            on_event=conversation._tell,
            raise_baud=not approach.baud_pinned,
            timeout_s=approach.timeout_s,
        )
        return conversation

    @property
    def on_event(self) -> OnEvent:
        """Where events go; those that came before are handed over when it is set."""
        return self._tell

    @on_event.setter
    def on_event(self, listener: OnEvent) -> None:
        self._listener = listener
        early, self._early = self._early, []
        for event in early:
            listener(event)

    @property
    def identity(self) -> str:
        """The chip id."""
        return self._session.hello.chip

    @property
    def hello(self) -> Mapping[str, Json]:
        """Its handshake, as plain facts."""
        return dict(msgspec.to_builtins(self._session.hello))

    @property
    def panel(self) -> Panel | None:
        """Its screen."""
        return self._session.hello.panel

    @property
    def port_path(self) -> str:
        """The port's path, as configured."""
        return self._approach.facts.path

    @property
    def baud(self) -> int:
        """The rate that was agreed."""
        return self._stream.baud

    async def deliver(self, order: Order) -> Outcome:
        """One attempt at one command."""
        return await self._session.deliver(order)

    @property
    def running(self) -> Running | None:
        """What it runs."""
        return self._session.hello.running

    async def tell(self, message: ToDevice, blob: bytes = b"") -> None:
        """Send what is no command. Raises LinkError when the line is over, TooLarge for what fits no message."""
        await self._session.tell(message, blob)

    async def wait_closed(self) -> str:
        """Wait for the end; its reason."""
        return await self._session.wait_closed()

    async def close(self) -> None:
        """End it and close the port."""
        await self._session.close()

    def _tell(self, event: DeviceEvent) -> None:
        if self._listener is not None:
            self._listener(event)
            return
        self._early = [*self._early, event][-EARLY_EVENTS_MAX:]
