"""Agreeing on a key with a board that was found over the network (docs/protocol.md, "A key").

Pure but for the clock and the random numbers: offers are held in memory for two minutes, bounded in all and by
address. What follows from them (a pending device with a key and a code) is the registry's.
"""

from __future__ import annotations

import logging
import secrets
from collections import OrderedDict

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from edge.clock import Clock
from edge.errors import BadInput, NotFound, RateLimited
from edge.serving.limits import RateLimit
from edge.wire import signing
from edge.wire.field import PairOffer, PairRequest, PairReveal

OFFER_S = 120.0  # a board answers within seconds; two minutes outlast a bad network
OFFERS_MAX = 16  # in all: boards that are being taken in at this moment
OFFERS_PER_ADDRESS = 6  # a tray of new boards behind one address; PER_MINUTE bounds who only asks
PER_MINUTE = 6  # offers to one address
PER_MINUTE_IN_ALL = 10  # each lets its asker see one code of a million: to find one that fits takes months
NONCE_BYTES = 16

log = logging.getLogger(__name__)


class Agreed(msgspec.Struct, frozen=True):
    """What a pairing came to: who the board says it is, the key, and the code it shows."""

    request: PairRequest
    key: bytes
    code: str


class _Offer(msgspec.Struct):
    request: PairRequest
    private: X25519PrivateKey
    nonce: bytes
    address: str
    ends_s: float
    reveal: PairReveal | None = None
    device_id: str = ""


class Pairings:
    """The offers that are open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offers: OrderedDict[str, _Offer] = OrderedDict()
        self._rate, self._rate_in_all = RateLimit(PER_MINUTE, clock), RateLimit(PER_MINUTE_IN_ALL, clock)

    def offer(self, request: PairRequest, address: str) -> PairOffer:
        """The hub's half for a board at `address`. Raises RateLimited; what becomes of an offer gives none back."""
        self._end_old()
        here = sum(offer.address == address for offer in self._offers.values())
        if here >= OFFERS_PER_ADDRESS:
            raise RateLimited("Too many boards are being paired at this moment.", retry_after_s=OFFER_S / 2)
        self._rate.take(address)
        self._rate_in_all.take("")
        if len(self._offers) >= OFFERS_MAX:
            self._drop_oldest()
        private, nonce = X25519PrivateKey.generate(), secrets.token_bytes(NONCE_BYTES)
        pairing = secrets.token_hex(NONCE_BYTES)
        self._offers[pairing] = _Offer(request, private, nonce, address, self._clock.mono_s() + OFFER_S)
        return PairOffer(pairing=pairing, public=_public(private).hex(), nonce=nonce.hex())

    def reveal(self, pairing: str, reveal: PairReveal) -> Agreed | str:
        """What follows from the board's half, once; the same half again gives the device's id.

        Raises NotFound when the offer is over, BadInput when the half is not what was committed to: that ends it.
        """
        self._end_old()
        offer = self._offers.get(pairing)
        if offer is None:
            raise NotFound("There is no such pairing; it may have ended.", hint="Begin a new one.")
        if offer.reveal is not None:
            if offer.reveal == reveal and offer.device_id:
                return offer.device_id
            raise NotFound("This pairing has been used.", hint="Begin a new one.")
        public, nonce = bytes.fromhex(reveal.public), bytes.fromhex(reveal.nonce)
        if not signing.same(signing.commitment(public, nonce), offer.request.commit):
            del self._offers[pairing]
            log.warning(
                "a pairing from %s broke off: not what was committed to; who sees this often is guessing",
                offer.address,
            )
            raise BadInput("This is not what the device committed to.", hint="Begin a new pairing.")
        try:
            shared = offer.private.exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError as error:  # a point of low order: the key would be known to everybody
            del self._offers[pairing]
            raise BadInput("This public key cannot be used.", hint="Begin a new pairing.") from error
        offer.reveal, ours = reveal, _public(offer.private)
        key = signing.key_from_pairing(shared, public, ours)
        return Agreed(offer.request, key, signing.code(public, ours, nonce, offer.nonce))

    def became(self, pairing: str, device_id: str) -> None:
        """The device that a pairing made: told again when the board asks again."""
        if pairing in self._offers:
            self._offers[pairing].device_id = device_id

    def undo(self, pairing: str) -> None:
        """Nothing came of it: the board may reveal its half again."""
        if pairing in self._offers:
            self._offers[pairing].reveal = None

    def _drop_oldest(self) -> None:
        """One that was never revealed, if there is such a one: nobody can shut all others out by asking alone."""
        unrevealed = (key for key, offer in self._offers.items() if offer.reveal is None)
        del self._offers[next(unrevealed, next(iter(self._offers)))]

    def _end_old(self) -> None:
        now_s = self._clock.mono_s()
        while self._offers and next(iter(self._offers.values())).ends_s <= now_s:
            self._offers.popitem(last=False)


def _public(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()
