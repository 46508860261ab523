"""Whether a trusted key signed a manifest: RSA-3072, PKCS#1 v1.5, SHA-256, with the exponent 65537.

What comes out of the signature is compared with the one block that is right, byte for byte; nothing in it is looked
for or taken apart, which is where such checks have gone wrong. A check takes some 3 KB of memory for moments; on an
ESP32 a few tenths of a second, by reckoning (17 multiplications of 3,072 bits).
"""

import binascii
import hashlib

KEY_BYTES = 384
EXPONENT = 65537
SHA256_INFO = binascii.unhexlify("3031300d060960864801650304020105000420")  # DER: "what follows is a SHA-256"
KEYS_MAX = 8
KEY_LINE_MAX = 16 + 1 + 2 * KEY_BYTES + 1


def verifies(modulus: bytes, signature: bytes, digest: bytes) -> bool:
    """Whether `signature` is that of what has the SHA-256 `digest`, by the key with this modulus."""
    if len(modulus) != KEY_BYTES or len(signature) != KEY_BYTES or signature >= modulus:
        return False
    number = pow(int.from_bytes(signature, "big"), EXPONENT, int.from_bytes(modulus, "big"))
    padding = KEY_BYTES - 3 - len(SHA256_INFO) - len(digest)
    wanted = b"\x00\x01" + b"\xff" * padding + b"\x00" + SHA256_INFO + digest
    return number.to_bytes(KEY_BYTES, "big") == wanted


def keys(path: str) -> "dict[str, bytes]":
    """The trusted keys in an app's file `keys`: modulus by id. Lines that are none are passed over."""
    found = {}  # type: dict[str, bytes]
    try:
        with open(path, "rb") as file:
            while len(found) < KEYS_MAX:
                line = file.readline(KEY_LINE_MAX)
                if not line:
                    break
                id, _, digits = line.strip().partition(b" ")
                if len(digits) == 2 * KEY_BYTES:
                    modulus = _unhexed(digits)
                    if modulus is not None and _id(modulus) == id:
                        found[id.decode()] = modulus
    except OSError:
        pass
    return found


def _id(modulus: bytes) -> bytes:
    return binascii.hexlify(hashlib.sha256(modulus).digest())[:16]


def _unhexed(digits: bytes) -> "bytes | None":
    try:
        return binascii.unhexlify(digits)
    except ValueError:
        return None
