"""What a reading may be, the same where a hub takes it and where the centre keeps it.

A value that a hub takes and the centre refuses is of no use to anybody: it would wait at its site as a row to be
looked at, for ever. So the hub refuses it at once, and whoever sent it is told why.
"""

from __future__ import annotations

NUMBER_MAX = 1e300  # either way: whoever measures more is broken, and a sum of such is past every float
TIME_MAX_US = 253_402_300_799_000_000  # the end of the year 9999, the last that can be told
NUL = "\0"  # the one character that PostgreSQL does not keep in a text


def wrong_text(text: str) -> str:
    """Why a text cannot be kept, '' where it can."""
    if NUL in text:
        return "text with the character of code 0 in it"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "text with half a character in it"
    return ""
