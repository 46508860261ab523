"""Signing a manifest, and whose signatures hold: RSA-3072, PKCS#1 v1.5, SHA-256.

That padding and no newer one, because a device can check it with one power and one comparison.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from edge.updates.signing.keys import PublicKey, public_of
from edge.wire.firmware import Signature


def sign(data: bytes, private: rsa.RSAPrivateKey) -> Signature:
    """The signature over these bytes; the same key and bytes give the same."""
    return Signature(public_of(private).id, private.sign(data, padding.PKCS1v15(), hashes.SHA256()))


def holds(data: bytes, signature: Signature, key: PublicKey) -> bool:
    """Whether `key` made the signature over these bytes."""
    if signature.key != key.id:
        return False
    try:
        key.numbers.verify(signature.value, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def signers(data: bytes, signatures: Iterable[Signature], trusted: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    """Those of the trusted whose signature holds, in their order."""
    found = tuple(signatures)
    return tuple(key for key in trusted if any(holds(data, signature, key) for signature in found))


def added(signatures: tuple[Signature, ...], new: Signature) -> tuple[Signature, ...]:
    """The signatures with a new one, in the place of an earlier one by the same key."""
    return (*(one for one in signatures if one.key != new.key), new)
