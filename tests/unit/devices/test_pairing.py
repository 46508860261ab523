"""Agreeing on a key: both sides show the same code, and whoever stands in between is found out."""

from __future__ import annotations

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge.clock import ManualClock
from edge.devices.pairing import OFFER_S, OFFERS_MAX, PER_MINUTE, PER_MINUTE_IN_ALL, Agreed, Pairings
from edge.errors import BadInput, NotFound, RateLimited
from edge.wire import signing
from edge.wire.field import PairOffer, PairRequest, PairReveal


class Board:
    """A board's half of a pairing."""

    def __init__(self, public: bytes = b"") -> None:
        self.private = X25519PrivateKey.generate()
        self.public = public or self.private.public_key().public_bytes_raw()
        self.nonce = secrets.token_bytes(16)

    def request(self) -> PairRequest:
        commit = signing.commitment(self.public, self.nonce)
        return PairRequest(chip="A4CF12000001", kind="sensor", fw="1", commit=commit)

    def reveal(self) -> PairReveal:
        return PairReveal(public=self.public.hex(), nonce=self.nonce.hex())

    def agreed(self, offer: PairOffer) -> tuple[bytes, str]:
        theirs = bytes.fromhex(offer.public)
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(theirs))
        key = signing.key_from_pairing(shared, self.public, theirs)
        return key, signing.code(self.public, theirs, self.nonce, bytes.fromhex(offer.nonce))


def test_both_sides_come_to_the_same_key_and_code() -> None:
    pairings, board = Pairings(ManualClock()), Board()
    offer = pairings.offer(board.request(), "10.0.0.9")
    agreed = pairings.reveal(offer.pairing, board.reveal())
    assert isinstance(agreed, Agreed)
    assert (agreed.key, agreed.code) == board.agreed(offer)
    pairings.became(offer.pairing, "dev-1")
    assert pairings.reveal(offer.pairing, board.reveal()) == "dev-1"


def test_somebody_in_between_makes_the_codes_differ() -> None:
    hub, middle_hub, board, middle = Pairings(ManualClock()), Pairings(ManualClock()), Board(), Board()
    to_board = middle_hub.offer(board.request(), "10.0.0.9")
    to_hub = hub.offer(middle.request(), "10.0.0.66")
    agreed = hub.reveal(to_hub.pairing, middle.reveal())
    assert isinstance(agreed, Agreed)
    assert board.agreed(to_board)[1] != agreed.code  # but for one time in a million


def test_what_was_not_committed_to_ends_it() -> None:
    pairings, board, other = Pairings(ManualClock()), Board(), Board()
    offer = pairings.offer(board.request(), "10.0.0.9")
    with pytest.raises(BadInput):
        pairings.reveal(offer.pairing, other.reveal())
    with pytest.raises(NotFound):
        pairings.reveal(offer.pairing, board.reveal())


@pytest.mark.parametrize("public", [bytes(32), b"\x01" + bytes(31)])
def test_a_public_key_that_makes_the_secret_known_is_refused(public: bytes) -> None:
    pairings, board = Pairings(ManualClock()), Board(public)
    offer = pairings.offer(board.request(), "10.0.0.9")
    with pytest.raises(BadInput):
        pairings.reveal(offer.pairing, board.reveal())


def test_an_offer_is_good_for_one_board_and_two_minutes() -> None:
    clock = ManualClock()
    pairings, board = Pairings(clock), Board()
    offer = pairings.offer(board.request(), "10.0.0.9")
    pairings.reveal(offer.pairing, board.reveal())
    with pytest.raises(NotFound):
        pairings.reveal(offer.pairing, Board().reveal())
    late = pairings.offer(board.request(), "10.0.0.9")
    clock.advance(OFFER_S)
    with pytest.raises(NotFound):
        pairings.reveal(late.pairing, board.reveal())


def test_looking_at_codes_from_many_addresses_is_bounded_by_the_minute() -> None:
    """Whoever sees an offer knows its code; he breaks it off and asks from elsewhere until one fits."""
    clock = ManualClock()
    pairings, board, looked = Pairings(clock), Board(), 0
    for second in range(120):
        try:
            offer = pairings.offer(board.request(), f"10.0.0.{second}")
        except RateLimited:
            pass
        else:
            looked += 1
            with pytest.raises(BadInput):
                pairings.reveal(offer.pairing, Board().reveal())
        clock.advance(1)
    assert looked <= 3 * PER_MINUTE_IN_ALL


def test_who_asks_and_reveals_nothing_shuts_no_board_out() -> None:
    clock = ManualClock()
    pairings, board, ours = Pairings(clock), Board(), Board()
    mine = pairings.offer(ours.request(), "10.0.9.9")
    agreed = pairings.reveal(mine.pairing, ours.reveal())
    assert isinstance(agreed, Agreed)
    pairings.became(mine.pairing, "dev-1")
    for number in range(OFFERS_MAX):
        last = pairings.offer(board.request(), f"10.0.0.{number}")
        clock.advance(60 / PER_MINUTE_IN_ALL)
    assert pairings.reveal(mine.pairing, ours.reveal()) == "dev-1"
    assert isinstance(pairings.reveal(last.pairing, board.reveal()), Agreed)


def test_offers_are_bounded_by_address() -> None:
    clock = ManualClock()
    request = Board().request()
    pairings, given = Pairings(clock), 0
    for _ in range(PER_MINUTE):
        offer = pairings.offer(request, "10.0.0.1")
        with pytest.raises(BadInput):
            pairings.reveal(offer.pairing, Board().reveal())
        given += 1
    with pytest.raises(RateLimited):
        pairings.offer(request, "10.0.0.1")
    assert given == PER_MINUTE
