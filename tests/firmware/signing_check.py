"""Run by the board's own Python: what it signs with against the vectors. Prints what differs, then `done`."""

import json
import sys

sys.path.insert(0, sys.argv[1])

import binascii

from outpost import signing, x25519

with open(sys.argv[2]) as file:  # noqa: PTH123
    VECTORS = json.load(file)

# RFC 7748, 5.2: scalar, point, result; then what 1 and 1,000 iterations from the base point come to.
EXCHANGES = (
    (
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
    ),
    (
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
    ),
)
ONCE = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
A_THOUSAND_TIMES = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"


def check(name, got, wanted):
    if got != wanted:
        print("differs:", name, got, wanted)


def raw(name):
    return binascii.unhexlify(VECTORS[name])


def iterated(times):
    scalar = point = x25519.BASE
    for _ in range(times):
        scalar, point = x25519.exchange(scalar, point), scalar
    return signing.hexed(scalar)


key, ours, theirs = raw("key"), raw("device_public"), raw("hub_public")
nonces = raw("device_nonce"), raw("hub_nonce")
check("token", signing.hexed(signing.key_from_token(VECTORS["token"])), VECTORS["key_from_token"])
check("pairing", signing.hexed(signing.key_from_pairing(raw("shared"), ours, theirs)), VECTORS["key_from_pairing"])
check("commitment", signing.commitment(ours, nonces[0]), VECTORS["commitment"])
check("code", signing.code(ours, theirs, nonces[0], nonces[1]), VECTORS["code"])
check("hello", signing.hello_mac(key, VECTORS["hello_body"].encode()), VECTORS["hello_mac"])
welcome = VECTORS["welcome_body"].encode()
check("welcome", signing.welcome_mac(key, VECTORS["device_nonce"], welcome), VECTORS["welcome_mac"])
session = signing.session_key(key, VECTORS["device_nonce"], VECTORS["hub_nonce"])
check("session", signing.hexed(session), VECTORS["session_key"])
for case in VECTORS["requests"]:
    mac = signing.request_mac(session, case["method"], case["target"], case["counter"], case["body"].encode())
    check(case["target"], mac, case["mac"])
for case in VECTORS["answers"]:
    mac = signing.answer_mac(session, case["status"], case["counter"], case["body"].encode())
    check(case["status"], mac, case["mac"])
check("a long key", signing.hexed(signing.hmac(b"\xaa" * 131, b"x")), sys.argv[3])

for scalar, point, wanted in EXCHANGES:
    check("x25519", signing.hexed(x25519.exchange(binascii.unhexlify(scalar), binascii.unhexlify(point))), wanted)
check("x25519 once", iterated(1), ONCE)
if sys.implementation.name != "micropython":
    check("x25519 a thousand times", iterated(1000), A_THOUSAND_TIMES)


def refused(point):
    try:
        x25519.exchange(key, point)
    except x25519.BadPoint:
        return True
    return False


for nobodys in (bytes(32), b"\x01" + bytes(31)):
    check("a bad point", refused(nobodys), True)
print("done")
