"""The keys of tests/vectors/firmware.json, private halves too: making one takes a second, so tests share these."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from edge.updates.signing.keys import PublicKey, public_of
from edge.wire.firmware import EXPONENT

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "firmware.json").read_text("utf-8"))


def _private(p: int, q: int) -> rsa.RSAPrivateKey:
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(EXPONENT, p * q)
    parts = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return parts.private_key()


PRIVATE: dict[str, rsa.RSAPrivateKey] = {
    key["name"]: _private(int(key["p"], 16), int(key["q"], 16)) for key in VECTORS["keys"]
}
"""By name: `first`, `second` and `stranger`."""

PUBLIC: dict[str, PublicKey] = {name: public_of(private) for name, private in PRIVATE.items()}
