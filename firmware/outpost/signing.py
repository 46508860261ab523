"""How a device and its hub prove to each other who they are; docs/protocol.md, "Over the network".

tests/vectors/signing.json binds this file and the hub's to each other.
"""

import binascii
import hashlib

SESSION = "Outpost-Session"
COUNTER = "Outpost-Counter"
MAC = "Outpost-Mac"
CODE_DIGITS = 6
BLOCK_BYTES = 64  # of SHA-256


def hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104)."""
    if len(key) > BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    key = key + bytes(BLOCK_BYTES - len(key))
    inner = hashlib.sha256(bytes([byte ^ 0x36 for byte in key]))
    inner.update(message)
    outer = hashlib.sha256(bytes([byte ^ 0x5C for byte in key]))
    outer.update(inner.digest())
    return bytes(outer.digest())


def key_from_token(token: str) -> bytes:
    """The key of a device whose token a technician has typed at its console."""
    return hmac(b"outpost device key 1", token.encode())


def key_from_pairing(shared: bytes, device_public: bytes, hub_public: bytes) -> bytes:
    """The key that follows from an X25519 exchange."""
    return hmac(shared, b"outpost pair 1" + device_public + hub_public)


def commitment(device_public: bytes, device_nonce: bytes) -> str:
    """What the device says first, so that neither side can choose late."""
    return hexed(hashlib.sha256(b"outpost commit 1" + device_public + device_nonce).digest())


def code(device_public: bytes, hub_public: bytes, device_nonce: bytes, hub_nonce: bytes) -> str:
    """The digits both sides show."""
    digest = hashlib.sha256(b"outpost code 1" + device_public + hub_public + device_nonce + hub_nonce).digest()
    digits = str(int.from_bytes(digest[:8], "big") % 10**CODE_DIGITS)
    return "0" * (CODE_DIGITS - len(digits)) + digits


def hello_mac(key: bytes, body: bytes) -> str:
    """Of the hello."""
    return hexed(hmac(key, b"hello\n" + _digest(body)))


def welcome_mac(key: bytes, device_nonce: str, body: bytes) -> str:
    """Of its answer; the nonce as the hello had it, in hex."""
    return hexed(hmac(key, b"welcome\n" + device_nonce.encode() + b"\n" + _digest(body)))


def session_key(key: bytes, device_nonce: str, hub_nonce: str) -> bytes:
    """What signs the session that a hello opened; both nonces in hex."""
    return hmac(key, b"session\n" + device_nonce.encode() + b"\n" + hub_nonce.encode())


def request_mac(key: bytes, method: str, target: str, counter: int, body: bytes) -> str:
    """Of a request; `target` is the path with its query, as sent."""
    head = method.encode() + b"\n" + target.encode() + b"\n" + str(counter).encode() + b"\n"
    return hexed(hmac(key, head + _digest(body)))


def answer_mac(key: bytes, status: int, counter: int, body: bytes) -> str:
    """Of the answer to the request with that number."""
    return hexed(hmac(key, str(status).encode() + b"\n" + str(counter).encode() + b"\n" + _digest(body)))


def same(one: str, other: str) -> bool:
    """Whether two codes are the same, in a time that does not tell where they differ."""
    first, second = one.encode(), other.encode()
    if len(first) != len(second):
        return False
    differ = 0
    for i in range(len(first)):
        differ |= first[i] ^ second[i]
    return not differ


def hexed(data: bytes) -> str:
    """Lower-case hex."""
    return binascii.hexlify(data).decode()


def _digest(body: bytes) -> bytes:
    return binascii.hexlify(hashlib.sha256(body).digest())
