"""The one owner of the Bluetooth adapter: it listens, for ever, and stops listening while a board is connected.

Two programs, or two parts of one, that scan and connect at once end each other's connections on cheap adapters.
So everything that needs the adapter asks here. An adapter that is pulled out, or a BlueZ that is started anew, is
tried again for ever with growing pauses.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from typing import Literal

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from edge.errors import Busy, LinkError
from edge.links.ble import bluez
from edge.links.ble.bluez import Advert, Gatt, Mode, NoBluetooth
from edge.wire.provision import BluetoothView

log = logging.getLogger(__name__)

RENEW_S = 60.0  # a scan that BlueZ has forgotten says nothing: it is begun anew this often
RETRY_FIRST_S, RETRY_MAX_S = 1.0, 60.0  # an adapter that is plugged in is found within a minute
SWITCHED_OFF = "Bluetooth is switched off in the hub's settings"
SWITCHED_OFF_HINT = "Set `[bluetooth] enabled` to auto or on."

OnAdvert = Callable[[Advert], None]


class Enabled(StrEnum):
    """What the settings say of Bluetooth."""

    ON = "on"
    OFF = "off"
    AUTO = "auto"  # used where there is an adapter, and nobody's trouble where there is none


class Radio:
    """The adapter. Give it listeners, then `run` it in a task; `connected` borrows it."""

    def __init__(self, enabled: Enabled = Enabled.AUTO) -> None:
        self._enabled = enabled
        self._listeners: list[OnAdvert] = []
        self._lent_to = ""
        self._wanted = asyncio.Event()  # somebody wants the adapter: the scan ends
        self._free = asyncio.Event()
        self._free.set()
        self._quiet = asyncio.Event()  # no scan runs
        self._quiet.set()
        self._failure: LinkError | None = None
        self._mode: Mode = "passive"
        self._scanning = False
        self._told = ""
        self.adverts = 0

    @property
    def off(self) -> bool:
        """Whether the settings switch it off."""
        return self._enabled is Enabled.OFF

    def listen(self, listener: OnAdvert) -> None:
        """Have every advertisement told to `listener`, in the event loop; it must be quick and not fail."""
        self._listeners.append(listener)

    def view(self) -> BluetoothView:
        """How it is now; the sensors' figures are filled in by those who count them."""
        off = NoBluetooth(SWITCHED_OFF, hint=SWITCHED_OFF_HINT)
        failure = off if self.off else self._failure
        silent = self._scanning or failure is None
        return BluetoothView(
            state=self._state(),
            scan=self._mode if self._scanning else "",
            detail=self._lent_to or ("" if silent or failure is None else failure.detail),
            hint="" if silent or failure is None else failure.advice,
            sensors_heard=0,
            strangers_shed=0,
        )

    def _state(self) -> Literal["off", "starting", "scanning", "lent", "failed"]:
        if self.off:
            return "off"
        if self._lent_to:
            return "lent"
        if self._scanning:
            return "scanning"
        return "starting" if self._failure is None else "failed"

    def problems(self) -> list[str]:
        """What a person should look at: a machine without Bluetooth only where the settings ask for it."""
        if self.off or self._scanning or self._lent_to or self._failure is None:
            return []
        if self._enabled is Enabled.AUTO and isinstance(self._failure, NoBluetooth):
            return []
        return [f"Bluetooth does not work: {self._failure.detail}. {self._failure.advice}"]

    async def run(self) -> None:
        """Listen until cancelled; not at all where the settings switch it off."""
        if self.off:
            await asyncio.Event().wait()
        while True:
            await self._free.wait()
            retrying = AsyncRetrying(
                wait=wait_random_exponential(multiplier=RETRY_FIRST_S, max=RETRY_MAX_S),
                retry=retry_if_exception_type(LinkError),
                sleep=self._pause,
                before_sleep=self._tell_failure,
            )
            await retrying(self._scan)

    @contextlib.asynccontextmanager
    async def connected(self, address: str, to: str) -> AsyncIterator[Gatt]:
        """A connection to one board while the block lasts; `to` says for what. Nothing is heard meanwhile.

        Raises Busy while somebody else has the adapter, NoBluetooth, LinkError.
        """
        if self.off:
            raise NoBluetooth(SWITCHED_OFF, hint=SWITCHED_OFF_HINT)
        if self._lent_to:
            raise Busy(f"Bluetooth is in use: {self._lent_to}", hint="Wait until that has ended, or cancel it.")
        self._lent_to = to
        self._free.clear()
        self._wanted.set()
        try:
            await self._quiet.wait()
            async with bluez.connected(address) as gatt:
                yield gatt
        finally:
            self._lent_to = ""
            self._wanted.clear()
            self._free.set()

    async def _scan(self) -> None:
        """One scan, for a while or until the adapter is wanted. Raises LinkError."""
        if self._wanted.is_set():
            return
        self._quiet.clear()
        try:
            async with contextlib.AsyncExitStack() as stack:
                await self._begin(stack)
                self._failure, self._told, self._scanning = None, "", True
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RENEW_S):
                        await self._wanted.wait()
        finally:
            self._scanning = False
            self._quiet.set()

    async def _begin(self, stack: contextlib.AsyncExitStack) -> None:
        """Passive where the system allows it, which costs sensors no battery; else active."""
        if self._mode == "passive":
            try:
                await stack.enter_async_context(bluez.scanning(self._hear, "passive"))
                return
            except NoBluetooth:
                raise
            except LinkError as error:
                log.info("a passive Bluetooth scan is not possible here (%s): scanning actively", error.detail)
                self._mode = "active"
        await stack.enter_async_context(bluez.scanning(self._hear, "active"))

    def _hear(self, advert: Advert) -> None:
        self.adverts += 1
        for listener in self._listeners:
            try:
                listener(advert)
            except Exception:  # what anybody may send must not end the scan
                log.exception("an advertisement could not be taken")

    async def _pause(self, seconds: float) -> None:
        """Wait, less when somebody wants the adapter: he then learns himself what is wrong."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        await self._free.wait()

    async def _tell_failure(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        assert isinstance(error, LinkError)
        self._failure = error
        if error.detail != self._told:
            self._told = error.detail
            log.info("Bluetooth: %s", error.detail)
