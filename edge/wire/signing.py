"""How a device on the network and its hub prove to each other who they are (docs/protocol.md, "Over the network").

Each device shares a key of 32 bytes with its hub. A hello, signed with that key, opens a session; the session's key
signs every request with a number that rises, and every answer with the number it answers. So nobody in between can
make, change or repeat either, and a hub that does not hold the key cannot pass for one.
"""

from __future__ import annotations

import hashlib
import hmac

SESSION, COUNTER, MAC = "Outpost-Session", "Outpost-Counter", "Outpost-Mac"  # the headers
CODE_DIGITS = 6


def key_from_token(token: str) -> bytes:
    """The key of a device whose token a technician has typed at its console."""
    return _mac(b"outpost device key 1", token.encode())


def key_from_pairing(shared: bytes, device_public: bytes, hub_public: bytes) -> bytes:
    """The key that follows from an X25519 exchange."""
    return _mac(shared, b"outpost pair 1" + device_public + hub_public)


def commitment(device_public: bytes, device_nonce: bytes) -> str:
    """What a device says first: bound to a public key the hub has not seen yet, so that neither can choose late."""
    return hashlib.sha256(b"outpost commit 1" + device_public + device_nonce).hexdigest()


def code(device_public: bytes, hub_public: bytes, device_nonce: bytes, hub_nonce: bytes) -> str:
    """The digits both sides show. With somebody in between they differ, but for one time in a million."""
    digest = hashlib.sha256(b"outpost code 1" + device_public + hub_public + device_nonce + hub_nonce).digest()
    return str(int.from_bytes(digest[:8], "big") % 10**CODE_DIGITS).zfill(CODE_DIGITS)


def hello_mac(key: bytes, body: bytes) -> str:
    """Of the hello."""
    return _mac(key, b"hello\n" + _digest(body)).hex()


def welcome_mac(key: bytes, device_nonce: str, body: bytes) -> str:
    """Of its answer; `device_nonce` as the hello had it, in hex."""
    return _mac(key, b"welcome\n" + device_nonce.encode() + b"\n" + _digest(body)).hex()


def session_key(key: bytes, device_nonce: str, hub_nonce: str) -> bytes:
    """What signs the session that a hello opened; both nonces in hex."""
    return _mac(key, b"session\n" + device_nonce.encode() + b"\n" + hub_nonce.encode())


def request_mac(key: bytes, method: str, target: str, counter: int, body: bytes) -> str:
    """Of a request; `target` is the path with its query, as sent."""
    return _mac(key, b"%s\n%s\n%d\n" % (method.encode(), target.encode(), counter) + _digest(body)).hex()


def answer_mac(key: bytes, status: int, counter: int, body: bytes) -> str:
    """Of the answer to the request with that number."""
    return _mac(key, b"%d\n%d\n" % (status, counter) + _digest(body)).hex()


def same(one: str, other: str) -> bool:
    """Whether two codes are the same, in a time that does not tell where they differ."""
    if one.isascii() and other.isascii():
        return hmac.compare_digest(one, other)
    return False


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() if body else _NOTHING


_NOTHING = hashlib.sha256(b"").hexdigest().encode()  # polls have no body, and come all the time
