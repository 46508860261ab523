"""Keys as pure rules: made, hashed, and who a caller with one is."""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from edge.serving.roles import Principal, Role

SECRET_BYTES = 32
ID_BYTES = 4
OLD_SYSTEMS = frozenset({"nic"})  # the older systems a key can be imported for
IMPORT_MIN_CHARS = 8  # shorter ones are guessed in an afternoon at the allowed rate


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as stored: only its hash."""

    id: str
    name: str
    role: Role
    scope: str
    hash: bytes
    weak: bool
    created_us: int
    created_by: str
    revoked_us: int | None = None

    @property
    def principal(self) -> Principal:
        """Who a caller with this key is."""
        return Principal(f"key:{self.name}", self.role, self.scope)


def new_secret() -> tuple[str, str]:
    """A new key's public id and its whole secret, 256 random bits behind the id."""
    key_id = secrets.token_hex(ID_BYTES)
    return key_id, f"op_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"


def hash_secret(secret: str) -> bytes:
    """What is stored and looked up. Random keys need no slow hash; imported ones are weak whatever the hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
