"""What a page may say over Socket.IO, read before the protocol's library sees it.

The library takes much more than the pages ever say, and writes a traceback to the log for every frame that it
cannot read; a stranger without a login could fill a disk with them. So it gets three kinds of frames, and none in a
stranger's own words: a token is written anew. All else is for the caller to count.
"""

from __future__ import annotations

from enum import Enum, auto

import msgspec

TOKEN_CHARS = 4096
_CONNECT = "40"
_ENDS = ("1", "41", "41/,")  # the connection's, or the page's own: a page has nothing else on it
_ALIVE = "3"
_JSON_ERRORS = (msgspec.DecodeError, UnicodeError, RecursionError)


class Said(Enum):
    """What a frame is for."""

    TOKEN = auto()  # a page shows its token
    ALIVE = auto()  # the answer to the server's question
    ENDS = auto()  # the page leaves
    WORDS = auto()  # whatever else


def read(frame: str | bytes) -> tuple[Said, str]:
    """What a frame is for, and how it is handed on; '' for words, which are not."""
    if isinstance(frame, bytes):
        return Said.WORDS, ""
    if frame == _ALIVE:
        return Said.ALIVE, frame
    if frame in _ENDS:
        return Said.ENDS, frame
    if frame.startswith(_CONNECT):
        shown = frame.removeprefix(_CONNECT).removeprefix("/,")
        try:
            token = token_of(msgspec.json.decode(shown)) if shown else ""
            return Said.TOKEN, _CONNECT + msgspec.json.encode({"token": token}).decode()
        except _JSON_ERRORS:
            return Said.WORDS, ""
    return Said.WORDS, ""


def token_of(shown: object) -> str:
    """The token a page sends as it connects, '' for none; with or without the word before it."""
    token = shown.get("token") if isinstance(shown, dict) else None
    return token.removeprefix("Bearer ").strip()[:TOKEN_CHARS] if isinstance(token, str) else ""
