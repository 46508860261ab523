"""Keys are files that only their owner can use, and a private one is taken nowhere."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from edge.errors import BadInput, Conflict
from edge.updates.signing.keys import private_from, public_from, public_of, write_private
from edge.wire.firmware import KEY_BYTES, key_id
from tests.firmware_keys import PRIVATE, PUBLIC


def test_a_private_key_is_encrypted_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "maker.pem"
    write_private(path, PRIVATE["first"], "correct horse")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    pem = path.read_bytes()
    assert b"ENCRYPTED" in pem
    assert public_of(private_from(pem, "correct horse")) == PUBLIC["first"]
    with pytest.raises(BadInput, match="passphrase is wrong"):
        private_from(pem, "wrong horse")
    with pytest.raises(BadInput, match="needs a passphrase"):
        private_from(pem)
    with pytest.raises(Conflict, match="never written over"):
        write_private(path, PRIVATE["second"], "correct horse")
    with pytest.raises(BadInput, match="protects nothing"):
        write_private(tmp_path / "other.pem", PRIVATE["second"], "short")


def test_a_public_key_is_known_by_its_modulus() -> None:
    public = PUBLIC["first"]
    assert public_from(public.pem.encode()) == public
    name, _, modulus = public.line.partition(" ")
    assert (name, len(modulus)) == (key_id(int(modulus, 16)), KEY_BYTES * 2)


def test_other_keys_are_refused() -> None:
    public = serialization.PublicFormat.SubjectPublicKeyInfo

    def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
        return key.public_key().public_bytes(serialization.Encoding.PEM, public)

    with pytest.raises(BadInput, match="of another kind"):
        public_from(pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(BadInput, match="3072 bits"):
        public_from(pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)))
    with pytest.raises(BadInput, match="no public key"):
        public_from(b"hello")
    with pytest.raises(BadInput, match="no public key"):
        public_from(b"-----BEGIN PUBLIC KEY-----\n" + b"A" * 20_000)


def test_a_private_key_is_not_taken_for_a_public_one() -> None:
    private = PRIVATE["first"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(BadInput, match="stays where it is"):
        public_from(private)
