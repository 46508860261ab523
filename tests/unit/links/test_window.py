"""The window on lines that lose, repeat, spoil and delay: all in order and once, or a session that ends."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.links.window import (
    RESENDS_MAX,
    ReceiveWindow,
    SendWindow,
    part_bytes_for,
    window_bytes_for,
)
from edge.wire.frames import Decoder, Frame, FrameType, encode_frame, encoded_size
from edge.wire.messages import Assembler, cut, decode_message, encode_message

SESSION = 7
RX_BYTES = 259
BAUD = 115_200


@dataclass
class BadLine:
    """Carries blocks of bytes with seeded misfortune; a delayed one is overtaken by those after it."""

    luck: random.Random
    lose: float
    spoil: float
    repeat: float
    delay: float
    late: list[bytes] = field(default_factory=list)

    def carry(self, block: bytes) -> Iterator[bytes]:
        if self.luck.random() < self.lose:
            return
        if self.luck.random() < self.spoil:
            at = self.luck.randrange(len(block))
            block = block[:at] + bytes([block[at] ^ (1 << self.luck.randrange(8))]) + block[at + 1 :]
        if self.luck.random() < self.delay:
            self.late.append(block)
            return
        yield block
        if self.luck.random() < self.repeat:
            yield block
        yield from self.late
        self.late.clear()


def converse(messages: list[bytes], there: BadLine, back: BadLine) -> tuple[list[bytes], bool]:
    """Send them all; what arrived, and whether the sender thinks that all did."""
    window = SendWindow(SESSION, window_bytes=window_bytes_for(RX_BYTES), baud=BAUD)
    for message in messages:
        window.queue(cut(encode_message(message), part_bytes_for(RX_BYTES)))
    decoder, answers = Decoder(SESSION), Decoder(SESSION)
    receive, assembler = ReceiveWindow(), Assembler()
    got: list[bytes] = []
    now = 0.0
    while not window.idle and not window.dead:
        for block in [b for data in window.due(now) for b in there.carry(data)]:
            for frame in decoder.feed(block):
                if receive.take(frame) and (whole := assembler.add(frame)) is not None:
                    got.append(decode_message(whole)[0])
                ack = encode_frame(Frame(FrameType.ACK, receive.expected), SESSION)
                for answer in [a for b in back.carry(ack) for a in answers.feed(b)]:
                    window.acknowledge(answer.seq, now)
        now += 0.05
    return got, not window.dead


rates = st.floats(0, 0.25)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=6), st.integers(0, 2**32), *[rates] * 4)
def test_every_message_arrives_once_and_in_order_or_the_session_ends(
    messages: list[bytes], seed: int, lose: float, spoil: float, repeat: float, delay: float
) -> None:
    luck = random.Random(seed)
    there, back = (BadLine(luck, lose, spoil, repeat, delay) for _ in range(2))
    got, complete = converse(messages, there, back)
    assert got == messages[: len(got)]
    if complete:
        assert got == messages


def test_a_good_line_takes_each_frame_once() -> None:
    perfect = BadLine(random.Random(0), 0, 0, 0, 0)
    messages = [bytes(3000), b"", b"x" * 1000]
    assert converse(messages, perfect, perfect) == (messages, True)


def test_a_dead_line_is_given_up() -> None:
    nothing = BadLine(random.Random(0), 1, 0, 0, 0)
    assert converse([b"x"], nothing, nothing) == ([], False)


@given(st.integers(128, 65536))
def test_what_is_in_flight_always_fits_the_devices_buffer(rx_bytes: int) -> None:
    window = SendWindow(SESSION, window_bytes=window_bytes_for(rx_bytes), baud=BAUD)
    window.queue(cut(bytes(24_000), part_bytes_for(rx_bytes)))
    sent = window.due(0.0)
    assert sum(map(len, sent)) + 3 * encoded_size(0) <= rx_bytes
    assert len(sent) >= 2  # so the line need not wait for an acknowledgement


def test_a_gap_is_filled_at_once_but_only_once() -> None:
    window = SendWindow(SESSION, window_bytes=window_bytes_for(RX_BYTES), baud=BAUD)
    window.queue(cut(bytes(300), part_bytes_for(RX_BYTES)))
    first = window.due(0.0)
    window.acknowledge(0, 0.01)
    assert window.due(0.01) == first
    window.acknowledge(0, 0.02)
    assert window.due(0.02) == []


def test_the_timeout_follows_the_line_and_grows() -> None:
    window = SendWindow(SESSION, window_bytes=window_bytes_for(RX_BYTES), baud=9600)
    window.queue(cut(bytes(300), part_bytes_for(RX_BYTES)))
    sent = sum(map(len, window.due(0.0)))
    assert window.deadline > 2 * sent * 10 / 9600
    waits = []
    while not window.dead:
        now = window.deadline
        window.due(now)
        waits.append(window.deadline - now)
    assert waits[0] < waits[-2]
    assert len(waits) == RESENDS_MAX + 1
