"""Frames: any bytes there and back, any cutting, any noise in between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.wire.frames import (
    FRAME_BYTES_MAX,
    Decoder,
    Frame,
    FrameType,
    cobs_decode,
    cobs_encode,
    encode_frame,
    encoded_size,
)

SESSION = 0x5EED_F00D
sessionful = st.sampled_from(sorted(set(FrameType) - {FrameType.SYNC, FrameType.ANNOUNCE}))
frames = st.builds(Frame, sessionful, st.integers(0, 255), st.binary(max_size=400))
noise = st.binary(max_size=80)


def test_noise_without_end_is_not_kept() -> None:
    decoder = Decoder(SESSION)
    for _ in range(100):
        assert list(decoder.feed(b"x" * 1000)) == []
    assert decoder.noise_bytes > 99_000
    assert list(decoder.feed(b"\0" + encode_frame(Frame(FrameType.ACK, 1), SESSION))) == [Frame(FrameType.ACK, 1)]


@given(st.binary(max_size=1200))
def test_cobs_there_and_back(data: bytes) -> None:
    encoded = cobs_encode(data)
    assert b"\0" not in encoded
    assert len(encoded) <= len(data) + len(data) // 254 + 1
    assert cobs_decode(encoded) == data


@given(st.binary(max_size=600))
def test_any_block_decodes_or_not_but_never_raises(block: bytes) -> None:
    cobs_decode(block)
    list(Decoder(SESSION).feed(block + b"\0"))


@given(st.lists(st.tuples(noise, frames)), noise, st.integers(1, 50))
def test_every_frame_comes_through_noise_in_pieces_of_any_size(
    sent: list[tuple[bytes, Frame]], tail: bytes, piece: int
) -> None:
    wire = b"".join(junk + encode_frame(frame, SESSION) for junk, frame in sent) + tail
    decoder = Decoder(SESSION)
    got = [frame for at in range(0, len(wire), piece) for frame in decoder.feed(wire[at : at + piece])]
    assert got == [frame for _, frame in sent]


@given(frames, st.integers(0, 2**32 - 1))
def test_no_other_session_takes_a_frame(frame: Frame, other: int) -> None:
    got = list(Decoder(other).feed(encode_frame(frame, SESSION)))
    assert got == ([frame] if other == SESSION else [])


@given(frames, st.data())
def test_one_flipped_bit_never_passes(frame: Frame, data: st.DataObject) -> None:
    wire = bytearray(encode_frame(frame, SESSION))
    at = data.draw(st.integers(1, len(wire) - 2))
    wire[at] ^= 1 << data.draw(st.integers(0, 7))
    assert list(Decoder(SESSION).feed(bytes(wire))) == []


@given(frames)
def test_the_size_foretold_is_enough(frame: Frame) -> None:
    size = len(encode_frame(frame, SESSION))
    assert size <= encoded_size(len(frame.payload)) <= FRAME_BYTES_MAX
