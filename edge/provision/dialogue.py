"""The text dialogue of a board with our firmware: what a person would type at its console, typed by the hub.

It gives a board its WiFi, its hub, its id and its token in one go, and so its key over a cable, where nobody can
stand in between. The console takes text between frames, so it works beside whatever else is said on the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from edge.errors import DeviceUnavailable, LinkError
from edge.links.stream import ByteStream

HARMLESS = "!"  # no command, and no fitting answer to a question: what is open is given up by it
IDLE = "unknown; try help"  # what the console says to it when nothing is open
SETTLE_S = 15.0  # a board that starts, or still listens at the rate of its last session, needs 6 s
TRY_S = 2.0
ANSWER_S = 10.0
QUIET_S = 0.5
LINE_BYTES_MAX = 1024
KEEP, FORGET = "", "-"  # answers that leave a setting as it is, or empty it

QUESTIONS = {
    "Enter Device ID:": "device_id",
    "Enter Device Token:": "token",
    "API URL": "hub_url",
    "WiFi name:": "ssid",
    "WiFi password:": "password",
}
"""How a question begins, and what answers it. What else is asked is left as it is."""

REFUSED = "that does not do: "
OVER = ("stored", "starting anew")
FAILED = ("given up", "it could not be stored")

Tell = Callable[[str], None]


class NoConsole(LinkError):
    """Nobody answers at a console on this port."""

    code = "no-console"
    hint = "This way is for boards with our firmware. Press the board's reset button and try again; or use `cable`."


class Answers(msgspec.Struct, frozen=True):
    """What the board is told; KEEP leaves a setting as it is, FORGET empties it."""

    device_id: str = KEEP
    token: str = KEEP
    hub_url: str = KEEP
    ssid: str = KEEP
    password: str = KEEP

    def __repr__(self) -> str:
        return f"Answers({self.device_id!r}, {self.hub_url!r}, {self.ssid!r})"  # no secrets


class Dialogue:
    """One visit to a board's console. The stream stays its owner's: it is not closed here."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._line = bytearray()

    async def settle(self) -> None:
        """Be at the console with nothing open. Raises NoConsole, LinkError."""
        ends_s = self._now_s() + SETTLE_S
        while self._now_s() < ends_s:
            await self._type(HARMLESS)
            until_s = min(ends_s, self._now_s() + TRY_S)
            while (line := await self._next(until_s - self._now_s())) is not None:
                if line == IDLE:
                    await self._drain()
                    return
        raise NoConsole(f"nobody answered at a console within {SETTLE_S:g} s")

    async def status(self) -> Mapping[str, str]:
        """What the board says of itself: `id` (its chip), `kind`, `fw`, `device`, `wifi` ... Raises LinkError."""
        await self._type("status")
        said: dict[str, str] = {}
        while (line := await self._next(ANSWER_S if not said else QUIET_S)) is not None:
            name, colon, value = line.partition(": ")
            if colon and not line.startswith(">"):
                said.setdefault(name, "" if value == "-" else value)
        return said

    async def provision(self, answers: Answers) -> None:
        """Answer its questions; it stores everything at the end and starts anew.

        Raises DeviceUnavailable when it refuses an answer, LinkError. Nothing is changed on the board then.
        """
        await self._type("provision")
        asked: str | None = None
        stored = False
        while (line := await self._next(ANSWER_S)) is not None:
            if line.startswith(REFUSED):
                raise DeviceUnavailable(f"The board does not take the {_named(asked)}: {line[len(REFUSED) :]}.")
            if line.startswith(FAILED):
                raise DeviceUnavailable(f"The board stored nothing: {line}.", hint="Try again.")
            if line == OVER[0]:
                stored = True
            elif stored and line == OVER[1]:
                return
            elif line.endswith(":"):
                asked = next((name for prompt, name in QUESTIONS.items() if line.startswith(prompt)), None)
                await self._type(getattr(answers, asked) if asked else KEEP)
        if stored:
            return  # its restart was quicker than its last line
        raise LinkError("the board stopped answering in the middle of its dialogue", hint="Try again.")

    # -- inside

    async def _type(self, text: str) -> None:
        """One line; the zero ends what a frame may have left half said."""
        await self._stream.write(b"\0" + text.encode() + b"\r\n")

    async def _next(self, timeout_s: float) -> str | None:
        """The next line that is text, without its end; None when none comes in time. Raises LinkError."""
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                while True:
                    while b"\n" not in self._line:
                        self._line += await self._stream.read()
                        if b"\n" not in self._line:
                            del self._line[:-LINE_BYTES_MAX]
                    raw, _, rest = bytes(self._line).partition(b"\n")
                    self._line = bytearray(rest)
                    text = raw.rpartition(b"\0")[2].decode("utf-8", "replace").strip()
                    if text and text.isprintable():
                        return text
        except TimeoutError:
            return None

    async def _drain(self) -> None:
        while await self._next(QUIET_S) is not None:
            pass

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _named(asked: str | None) -> str:
    names = {"device_id": "device id", "token": "token", "hub_url": "hub's address"}
    return names.get(asked or "", "WiFi name or password" if asked in ("ssid", "password") else "answer")
