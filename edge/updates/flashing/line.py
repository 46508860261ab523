"""The serial line of a board, for what is said without the two tools: is our firmware there, the BOOT button by
wire, the console of our firmware.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from edge.errors import LinkError, OutpostError
from edge.links.boot_text import DownloadMode
from edge.links.conversation import Approach
from edge.links.detect import HELLO_BOOTING_S
from edge.links.native_conversation import NativeConversation
from edge.links.ports import facts_of
from edge.links.serial_port import Lines, SerialPort
from edge.updates.flashing.trouble import Kind, Trouble
from edge.wire.flashing import BoardView

BAUD = 115_200  # what our firmware starts at
FALL_BACK_S = 45.0  # after a session at another rate a board comes back to its first one well within this
ANSWER_S = 3.0  # of the console; it prints at once
QUESTION, YES = b"Forget everything", b"yes\r"


class Line:
    """One port, opened for each thing that is asked."""

    def __init__(self, path: str, lines: Lines) -> None:
        self._path, self._lines = path, lines

    async def hello(self, seconds: float) -> BoardView | None:
        """What our firmware says of itself; None when it does not within `seconds`. Raises Trouble for the port,
        DownloadMode when the board says that it waits for firmware."""
        ends_s = asyncio.get_running_loop().time() + seconds
        async with self._opened() as port:
            while True:
                approach = Approach(facts_of(self._path), pinned=True, baud_pinned=True, timeout_s=HELLO_BOOTING_S)
                try:
                    found = await NativeConversation.open(port, approach)
                except DownloadMode:
                    raise
                except LinkError:
                    if asyncio.get_running_loop().time() > ends_s:
                        return None
                    await port.write(b"")  # raises when it was the port that went away
                    continue
                view = _view(found)
                await found.close()
                return view

    async def hold_boot(self) -> bool:
        """Reset the board and press BOOT by wire while its firmware looks, so that it stays at its prompt. False
        where the port has no such lines."""
        async with self._opened() as port:
            return await port.reset_to_prompt()

    async def forget(self) -> None:
        """Type `factory` at our firmware's console and say yes. Raises Trouble when nobody asks back."""
        ends_s = asyncio.get_running_loop().time() + FALL_BACK_S
        async with self._opened() as port:
            while True:
                await port.write(b"\rfactory\r")
                if await _heard(port, QUESTION):
                    await port.write(YES)
                    await asyncio.sleep(ANSWER_S / 10)
                    return
                if asyncio.get_running_loop().time() > ends_s:
                    raise Trouble(
                        Kind.OTHER,
                        "The program on the board does not answer at its console.",
                        "Flash it whole without its settings: `outpost firmware flash PORT --forget-settings`.",
                    )

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[SerialPort]:
        try:
            port = await SerialPort.open(self._path, baud=BAUD, lines=self._lines)
        except OutpostError as error:
            raise Trouble(Kind.PORT, error.detail, error.advice) from error
        try:
            yield port
        finally:
            await port.close()


async def _heard(port: SerialPort, wanted: bytes) -> bool:
    heard = b""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWER_S):
            while wanted not in heard:
                heard = (heard + await port.read())[-4096:]
    return wanted in heard


def _view(found: NativeConversation) -> BoardView:
    said, running = found.hello, found.running
    return BoardView(
        device=found.identity,
        mac=found.identity,
        kind=str(said.get("kind", "")),
        firmware=running.version if running and running.version else str(said.get("fw", "")),
        app=running.app if running else "",
        micropython=running.micropython if running else "",
        chip=running.chip if running else "",
        download_mode=False,
    )
