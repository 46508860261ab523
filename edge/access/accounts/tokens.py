"""Tokens of a login: JWTs (HS256) as the old apps carry them, judged by this hub's own clocks.

`exp` says by wall time what an app may read. The hub itself judges an access token by the monotonic clock of the
boot that made it (`boot`, `mono`), since a Pi without a clock of its own boots in the past: a token must neither
live for ever nor die at once when the time is set. A refresh token is judged by its session (accounts.py).
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any

import jwt

from edge.access.accounts.model import ACCESS_S, PAGE_S, REFRESH_S, Session
from edge.clock import Quality, Stamp
from edge.errors import Unauthenticated

ALGORITHM = "HS256"
ACCESS, REFRESH = "access", "refresh"
TOKEN_CHARS = 2048  # ours have some 400
TOKENS_KEPT = 1024  # checking a signature takes some 100 us, and an app sends the same token for half an hour
SECRET_BYTES = 32
_BOOT_CHARS = 8
_CLAIMS = ["sub", "jti", "type", "exp", "sid", "boot", "mono"]
_OPTIONS: Any = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False}


class TokenInvalid(Unauthenticated):
    """The token is no good here: not ours, too old, or its session has ended."""

    hint = "Log in again."


class TokenRefused(Unauthenticated):
    """The token is ours, but not one for this: of the other type, or its user may not log in."""

    hint = "Log in again, with an account that an administrator has approved."


class Tokens:
    """Makes and reads tokens with this hub's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()  # tokens whose signature was right

    def access(self, session: Session, now: Stamp) -> str:
        """A token for ACCESS_S."""
        return self._make(session, ACCESS, secrets.token_hex(16), now, ACCESS_S)

    def page(self, session: Session, now: Stamp) -> str:
        """The same for PAGE_S."""
        return self._make(session, ACCESS, secrets.token_hex(16), now, PAGE_S)

    def refresh(self, session: Session, now: Stamp) -> str:
        """The session's refresh token."""
        return self._make(session, REFRESH, session.refresh_id, now, REFRESH_S)

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token that this hub has made, of whatever age and type. Raises TokenInvalid."""
        known = self._known.get(token)
        if known is not None:
            self._known.move_to_end(token)
            return known
        if len(token) > TOKEN_CHARS:
            raise TokenInvalid
        try:
            claims: dict[str, Any] = jwt.decode(token, self._secret, algorithms=[ALGORITHM], options=_OPTIONS)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise TokenInvalid from error
        self._known[token] = claims
        if len(self._known) > TOKENS_KEPT:
            self._known.popitem(last=False)
        return claims

    def _make(self, session: Session, kind: str, token_id: str, now: Stamp, lasts_s: int) -> str:
        claims = {
            "sub": session.user_id,
            "jti": token_id,
            "type": kind,
            "exp": now.at_us // 1_000_000 + lasts_s,
            "sid": session.id,
            "boot": now.boot_id[:_BOOT_CHARS],
            "mono": now.mono_ms,
            "lasts": lasts_s,
        }
        if now.quality.good:
            claims["iat"] = now.at_us // 1_000_000
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)


def is_fresh(claims: dict[str, Any], now: Stamp) -> bool:
    """Whether an access token with these claims is within its time.

    Within the boot that made it by the monotonic clock; in a later one by wall time, if it was good at both ends.
    """
    if claims["boot"] == now.boot_id[:_BOOT_CHARS]:
        return 0 <= now.mono_ms - int(claims["mono"]) < lasts_s(claims) * 1000
    made_s = claims.get("iat")
    if made_s is None or now.quality is Quality.NONE:
        return False
    return 0 <= now.at_us // 1_000_000 - int(made_s) < lasts_s(claims)


def lasts_s(claims: dict[str, Any]) -> int:
    """How long an access token with these claims is good; one of an older version says nothing of it."""
    return PAGE_S if claims.get("lasts") == PAGE_S else ACCESS_S


def looks_like_one(secret: str) -> bool:
    """Whether this has the form of a JWT; keys of this hub have no dots."""
    return secret.count(".") == 2
