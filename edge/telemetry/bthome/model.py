"""What is taken of a sensor's messages, as pure values: repeats, replays, and messages without the key are not.

A sensor says the same several times, because nobody confirms that he heard it. Encrypted messages are numbered,
and a number that comes again, or an older one, is a recording that somebody plays; a sensor whose battery was
changed begins anew, far below.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.telemetry.bthome.parsing import KEY_BYTES, Envelope, Message, decrypt, read

REPEAT_S = 4.0  # the format's own bound: the same packet within it is the same message
PACKETS = 256  # a packet id is one byte
PACKETS_OLDER = 64  # how far behind the newest id an older one may be and still count as older
SAME_S = 60.0  # the same values are stored again after so long, as a sign of life
ECHO_S = 600.0  # so long a sensor may send one encrypted message; who sends it later plays a recording
FRESH_BELOW = 100  # a counter so low is a sensor with a new battery


class Verdict(StrEnum):
    """What is done with a message."""

    TAKEN = "taken"
    REPEATED = "repeated"  # it was heard before
    REPLAYED = "replayed"  # its number was used before: nobody knows who sends it
    NO_KEY = "no-key"  # encrypted, and no key was given
    WRONG_KEY = "wrong-key"
    PLAIN = "plain"  # not encrypted, though the sensor has a key: anybody could say it


PROBLEMS = {
    Verdict.NO_KEY: "It speaks encrypted: give it its bind key.",
    Verdict.WRONG_KEY: "What it says cannot be read with its bind key: the key is another.",
    Verdict.PLAIN: "It has a bind key, but this was sent without: it may be an imitation, so it is not believed.",
    Verdict.REPLAYED: "Its messages come with numbers that were used before: somebody may play a recording.",
}


class Heard(msgspec.Struct, frozen=True):
    """What a sensor remembers of its last message. `counter` is -1 when none was encrypted."""

    at_s: float = 0.0
    packet_id: int | None = None
    body: bytes = b""
    counter: int = -1


class Judged(msgspec.Struct, frozen=True):
    """A verdict, the message where it could be read, and what is to be remembered."""

    verdict: Verdict
    message: Message | None
    heard: Heard


def judge(envelope: Envelope, address: str, key: bytes | None, before: Heard, now_s: float) -> Judged:
    """Whether a message of the sensor with this address (12 hex digits) is taken. `now_s` never goes back."""
    if not envelope.encrypted:
        if key is not None:
            return Judged(Verdict.PLAIN, None, before)
        return _plain(envelope.body, read(envelope.body), before, now_s)
    if key is None:
        return Judged(Verdict.NO_KEY, None, before)
    again = Verdict.REPEATED if now_s - before.at_s < ECHO_S else Verdict.REPLAYED
    if envelope.body == before.body:
        return Judged(again, None, before)
    opened = decrypt(envelope, key, address)
    if opened is None:
        return Judged(Verdict.WRONG_KEY, None, before)
    if opened.counter == before.counter:
        return Judged(again, opened.message, before)
    if opened.counter <= before.counter and not (opened.counter < FRESH_BELOW <= before.counter):
        return Judged(Verdict.REPLAYED, None, before)
    after = Heard(now_s, opened.message.packet_id, envelope.body, opened.counter)
    return Judged(Verdict.TAKEN, opened.message, after)


def key_of(text: str) -> bytes | None:
    """A bind key as people copy it: 32 hex digits, with or without spaces or colons; None for anything else."""
    digits = text.replace(":", "").replace(" ", "").strip()
    if len(digits) != 2 * KEY_BYTES or not digits.isascii() or not digits.isalnum():
        return None
    try:
        return bytes.fromhex(digits)
    except ValueError:
        return None


def _plain(body: bytes, message: Message, before: Heard, now_s: float) -> Judged:
    passed_s = now_s - before.at_s
    if before.body and _is_repeat(body, message, before, passed_s):
        return Judged(Verdict.REPEATED, message, before)
    return Judged(Verdict.TAKEN, message, Heard(now_s, message.packet_id, body, before.counter))


def _is_repeat(body: bytes, message: Message, before: Heard, passed_s: float) -> bool:
    if message.packet_id is not None and before.packet_id is not None:
        behind = (before.packet_id - message.packet_id) % PACKETS
        if behind:
            return behind < PACKETS_OLDER and passed_s < REPEAT_S
        return body == before.body and (bool(message.events) or passed_s < SAME_S)
    return body == before.body and passed_s < (REPEAT_S if message.events else SAME_S)
