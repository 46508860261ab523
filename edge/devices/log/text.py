"""What may stand in a communication log: one printable line, without secrets and without what is a customer's."""

from __future__ import annotations

import re

from edge.logs import REDACTED, redact

TEXT_CHARS = 500
_LOOKED_AT_CHARS = 4 * TEXT_CHARS  # nothing behind it can be in the line; a secret cut in two is still one here
_NAMES = (
    "payload|caption|amount|reference|customer[_-]?name|agent[_-]?name|qr_image(?:_base64)?|image|blob"
    "|secret|signature|proof|device[_-]?key|link[_-]?key|outpost-mac|outpost-session|mac"
)
_VALUE = r"""\s*[:=]\s*(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&}\]]+)"""
_PRIVATE = re.compile(rf"""(?i)(?<![\w-])({_NAMES})(["']?){_VALUE}""")


def scrub(text: str) -> str:
    """`text` as it may be kept: at most TEXT_CHARS, control characters escaped."""
    clean = _PRIVATE.sub(rf"\1\2={REDACTED}", redact(text[:_LOOKED_AT_CHARS]))
    if not clean.isprintable():
        clean = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in clean[:TEXT_CHARS])
    return clean[:TEXT_CHARS]
