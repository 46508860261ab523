"""The private key that firmware is signed with, as the verbs get at it: a file, and a passphrase asked for."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import BadInput

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from edge.updates.signing.keys import PublicKey

VARIABLE = "OUTPOST_SIGNING_PASSPHRASE"


def private_key(file: Path) -> RSAPrivateKey:
    """The key of a file. Raises BadInput."""
    from edge.updates.signing.keys import is_encrypted, private_from

    pem = read(file)
    return private_from(pem, passphrase("Passphrase of the key: ") if is_encrypted(pem) else "")


def public_key(file: Path) -> PublicKey:
    """The public key of a file, which may be the private one's. Raises BadInput."""
    from edge.updates.signing.keys import public_from, public_of

    pem = read(file)
    return public_of(private_key(file)) if b"PRIVATE" in pem else public_from(pem)


def new_passphrase() -> str:
    """What a new key is to be protected with. Raises BadInput."""
    first = passphrase("Passphrase for the key: ")
    if VARIABLE not in os.environ and first != getpass.getpass("The same again: "):
        raise BadInput("The two are not the same.")
    return first


def passphrase(prompt: str) -> str:
    """From the environment, or asked without echo. Raises BadInput where there is nobody to ask."""
    if (given := os.environ.get(VARIABLE)) is not None:
        return given
    if not sys.stdin.isatty():
        raise BadInput("The key needs a passphrase, and nobody is there to ask.", hint=f"Put it into {VARIABLE}.")
    return getpass.getpass(prompt)


def read(file: Path) -> bytes:
    """A key's file. Raises BadInput."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"The key file {file} cannot be read: {error.strerror}.") from error
