"""Which protocol does a port speak, and at which rate: asked in the protocols' own words, never "any byte".

A port is opened once and its rate changed in place, because opening may reset the board. Boot noise is waited out;
our own handshake comes first, then the old vending machine's, whose answers to the display's would look like a
stranger's, then the old display's. Who speaks in clear but in none of these is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import msgspec

from edge.errors import LinkError
from edge.links.boot_text import DownloadMode, Rebooted, Stranger, check_boot, excerpt, is_text
from edge.links.conversation import Approach, Conversation, Openers
from edge.links.ports import PortFacts
from edge.links.spec import PortSpec, Profile
from edge.links.stream import ByteStream

BAUDS = (115_200, 9_600, 230_400, 57_600, 38_400, 19_200)  # bits/s; the first is what most boards boot with
NATIVE_BAUDS = (115_200, 9_600)  # what our firmware starts at: the REPL's own rate, and the slow line's
VENDING_BAUD = 115_200  # the only one that firmware has

LISTEN_S = 0.3  # at first, to hear whether anything is being said
QUIET_S = 0.5  # a boot banner has no pause as long as this
NOISE_MAX_S = 5.0  # a board has booted by then; who still speaks does so of himself
NOISE_BYTES_MAX = 16_384

HELLO_S = 1.5  # for our handshake at 115200; two of the device's answers and a lost frame
HELLO_SLOW_S = 2.5  # the same at 9600, where its 300 bytes alone take a third of a second
HELLO_BOOTING_S = 3.5  # after a boot banner: MicroPython takes up to 3 s until our firmware listens
SLOW_BAUD = 19_200


class Way(msgspec.Struct, frozen=True):
    """One protocol at one rate."""

    profile: Profile
    baud: int


class NoAnswer(LinkError):
    """Nobody answers on this port in any protocol known here."""

    code = "no-answer"
    hint = "Check the device's power, that the cable carries data, and its baud (--serial PATH=PROFILE@BAUD)."


def ways(spec: PortSpec, remembered: Way | None = None) -> list[Way]:
    """What to try, in order: what worked last time, ours at its rates, the vending machine, the old display."""
    native = (spec.baud,) if spec.baud else NATIVE_BAUDS
    old = (spec.baud,) if spec.baud else BAUDS
    asked = spec.profile is Profile.VENDING or spec.baud in (None, VENDING_BAUD)
    one = (spec.baud or VENDING_BAUD,) if asked else ()
    order = [
        *(Way(Profile.NATIVE, baud) for baud in native),
        *(Way(Profile.VENDING, baud) for baud in one),
        *(Way(Profile.NIC_DISPLAY, baud) for baud in old),
    ]
    allowed = [way for way in order if spec.profile in (None, way.profile)]
    if remembered in allowed:
        allowed.remove(remembered)
        allowed.insert(0, remembered)
    return allowed


def first_baud(spec: PortSpec, remembered: Way | None = None) -> int:
    """The rate to open the port at."""
    return ways(spec, remembered)[0].baud


async def detect(
    stream: ByteStream, facts: PortFacts, spec: PortSpec, openers: Openers, remembered: Way | None = None
) -> tuple[Conversation, Way]:
    """Find out who answers on an open port.

    Raises Stranger, DownloadMode, NoAnswer, or the LinkError of a port that went away. The stream stays open then.
    """
    booting = await _wait_out_noise(stream, asks=spec.profile is None)
    plan = [way for way in ways(spec, remembered) if way.profile in openers]
    one_rate = spec.baud is not None or spec.profile is Profile.VENDING
    pinned = spec.profile is not None and one_rate
    for way in plan:
        approach = Approach(facts, pinned, spec.baud is not None, _patience_s(way, booting))
        booting = False  # one long wait is enough
        with contextlib.suppress(NoAnswer):
            return await _try(stream, way, approach, openers), way
    raise NoAnswer(f"nobody answers at {_tried(plan)}")


async def _try(stream: ByteStream, way: Way, approach: Approach, openers: Openers) -> Conversation:
    """One way. Raises NoAnswer where the next may be tried."""
    if stream.baud != way.baud:
        await stream.set_baud(way.baud)
        stream.discard_input()
    try:
        return await openers[way.profile](stream, approach)
    except (Stranger, DownloadMode, Rebooted):
        raise
    except LinkError as error:
        await stream.write(b"")  # raises when it was the port that went away
        raise NoAnswer(error.detail) from error


async def _wait_out_noise(stream: ByteStream, *, asks: bool) -> bool:
    """Listen until the port is quiet; True when a board was heard booting. Raises Stranger, DownloadMode."""
    heard = bytearray()
    ends_s = asyncio.get_running_loop().time() + NOISE_MAX_S
    booted = False
    while await _listen(stream, heard, QUIET_S if heard else LISTEN_S):
        try:
            check_boot(bytes(heard))
        except Rebooted:
            booted = True
        if asyncio.get_running_loop().time() > ends_s:
            if asks and not booted and is_text(bytes(heard)):
                raise Stranger(f"something speaks here without being asked: {excerpt(bytes(heard))!r}")
            break
    return booted


async def _listen(stream: ByteStream, heard: bytearray, quiet_s: float) -> bool:
    """Add what comes within `quiet_s`; False when nothing did."""
    try:
        async with asyncio.timeout(quiet_s):
            heard += await stream.read()
    except TimeoutError:
        return False
    del heard[:-NOISE_BYTES_MAX]
    return True


def _patience_s(way: Way, booting: bool) -> float:
    if booting:
        return HELLO_BOOTING_S
    return HELLO_SLOW_S if way.baud <= SLOW_BAUD else HELLO_S


def _tried(plan: Sequence[Way]) -> str:
    return ", ".join(f"{way.baud} ({way.profile})" for way in plan)
