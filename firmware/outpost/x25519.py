"""X25519 (RFC 7748): two sides agree on a secret, with somebody listening in.

An exchange is 255 steps of 10 multiplications modulo 2^255 - 19, and one inversion of about 500: 3,050 in all. On
an ESP32 at 240 MHz one takes 0.1 to 0.2 ms in MicroPython's big integers (a figure by reckoning), so an exchange
about half a second. A device does two when it is paired, and never again; `steps` pauses, so the line is served
meanwhile. The time these integers take tells a little of their size: a secret is used once.
"""

try:
    from collections.abc import Generator
except ImportError:  # MicroPython has none, and needs none
    pass

KEY_BYTES = 32
BASE = b"\x09" + bytes(31)
P = (1 << 255) - 19
A24 = 121665
BITS_A_PAUSE = 64  # some 0.1 s of work on an ESP32


class BadPoint(Exception):
    """The other side's public key would make a secret that anybody knows (RFC 7748, 6.1)."""


def steps(secret: bytes, point: bytes, out: bytearray) -> "Generator[None, None, None]":
    """A generator that pauses while it fills `out` with secret x point; both of 32 bytes. Raises BadPoint."""
    k = _clamped(secret)
    x1 = int.from_bytes(point, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3 = 1, 0, x1, 1
    swapped = 0
    for bit in range(254, -1, -1):
        wanted = k >> bit & 1
        if wanted != swapped:
            x2, x3, z2, z3 = x3, x2, z3, z2
            swapped = wanted
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % P, b * b % P
        da, cb = (x3 - z3) * a % P, (x3 + z3) * b % P
        e = aa - bb
        total, apart = da + cb, da - cb
        x3, z3 = total * total % P, x1 * (apart * apart % P) % P
        x2, z2 = aa * bb % P, e * (aa + A24 * e) % P
        if bit % BITS_A_PAUSE == 0:
            yield
    if swapped:
        x2, z2 = x3, z3
    result = x2 * pow(z2, P - 2, P) % P
    if not result:
        raise BadPoint
    out[:] = result.to_bytes(KEY_BYTES, "little")


def exchange(secret: bytes, point: bytes) -> bytes:
    """All of it at once."""
    out = bytearray(KEY_BYTES)
    for _ in steps(secret, point, out):
        pass
    return bytes(out)


def _clamped(secret: bytes) -> int:
    k = int.from_bytes(secret, "little")
    return k & ~7 & ((1 << 255) - 1) | 1 << 254
