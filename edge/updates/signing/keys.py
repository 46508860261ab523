"""The keys firmware is signed with: RSA-3072, as files in PEM.

The private key never is at a hub or a centre: whoever takes over one of those can then not make firmware. Its
file is encrypted with a passphrase. What hubs, centres and devices know is the public key, by its modulus.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from edge.errors import BadInput, Conflict
from edge.settle import sync
from edge.wire.firmware import EXPONENT, KEY_BITS, KEY_BYTES, key_id

PASSPHRASE_CHARS = 8  # at least; the file may be copied by whoever finds it
FILE_BYTES = 16 * 1024  # a PEM of such a key has some 2,500


class PublicKey(msgspec.Struct, frozen=True):
    """Whom to trust: an RSA modulus; the exponent is the same for all."""

    modulus: int

    @property
    def id(self) -> str:
        """16 hex digits."""
        return key_id(self.modulus)

    @property
    def pem(self) -> str:
        """The file's text, as other programs read it."""
        data = self.numbers.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return data.decode()

    @property
    def line(self) -> str:
        """The key as a device reads it in its file `keys`: its id and the modulus in hex."""
        return f"{self.id} {self.modulus.to_bytes(KEY_BYTES, 'big').hex()}"

    @property
    def numbers(self) -> rsa.RSAPublicKey:
        """The key as the library has it."""
        return rsa.RSAPublicNumbers(EXPONENT, self.modulus).public_key()


def new_private() -> rsa.RSAPrivateKey:
    """A new key; takes a second."""
    return rsa.generate_private_key(public_exponent=EXPONENT, key_size=KEY_BITS)


def public_of(private: rsa.RSAPrivateKey) -> PublicKey:
    """The half that others may know."""
    return PublicKey(private.public_key().public_numbers().n)


def write_private(path: Path, private: rsa.RSAPrivateKey, passphrase: str) -> None:
    """Write an encrypted PEM for its owner's eyes only. Raises Conflict when there is a file, BadInput for a short
    passphrase."""
    if len(passphrase) < PASSPHRASE_CHARS:
        raise BadInput(f"A passphrase of fewer than {PASSPHRASE_CHARS} characters protects nothing.")
    data = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    )
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Conflict(f"{path} is there already; a key is never written over.", hint="Name another.") from None
    with os.fdopen(fd, "wb") as file:
        file.write(data)
    sync(path)
    sync(path.resolve().parent)


def is_encrypted(pem: bytes) -> bool:
    """Whether a private key's file needs a passphrase."""
    return b"ENCRYPTED" in pem


def private_from(pem: bytes, passphrase: str = "") -> rsa.RSAPrivateKey:
    """The key of a PEM file. Raises BadInput."""
    try:
        key = serialization.load_pem_private_key(pem, passphrase.encode() or None)
    except TypeError:
        raise BadInput(
            "The key's file needs a passphrase." if is_encrypted(pem) else "The key's file has no passphrase.",
            hint="Give it when asked, or in OUTPOST_SIGNING_PASSPHRASE.",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        why = "The passphrase is wrong, or the file is damaged." if is_encrypted(pem) else "It is no private key."
        raise BadInput(why) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadInput(_NOT_RSA)
    _require(key.public_key())
    return key


def public_from(pem: bytes) -> PublicKey:
    """The key of a PEM file. Raises BadInput; also for a private one, which does not belong where it is sent."""
    if len(pem) > FILE_BYTES or b"PRIVATE" in pem:
        raise BadInput(
            "That is a private key: it stays where it is, and nobody else gets it."
            if b"PRIVATE" in pem
            else "It is no public key.",
            hint="`outpost firmware key show FILE` writes the public one.",
        )
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise BadInput("It is no public key in PEM.", hint="`outpost firmware key show FILE` writes it.") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise BadInput(_NOT_RSA)
    _require(key)
    return PublicKey(key.public_numbers().n)


_NOT_RSA = f"Firmware is signed with RSA of {KEY_BITS} bits; this key is of another kind."


def _require(key: rsa.RSAPublicKey) -> None:
    """What devices compute with is fixed. Raises BadInput."""
    if key.key_size != KEY_BITS or key.public_numbers().e != EXPONENT:
        raise BadInput(f"Firmware is signed with RSA of {KEY_BITS} bits and the exponent {EXPONENT}.")
