"""Run by the board's own Python: its reader of manifests and its RSA against the vectors. Prints what differs."""

import binascii
import hashlib
import json
import sys

sys.path.insert(0, sys.argv[1])

from outpost import manifest, rsa

with open(sys.argv[2]) as file:  # noqa: PTH123
    VECTORS = json.load(file)
PATH = sys.argv[3]
differs = []


def put(text):
    with open(PATH, "wb") as file:  # noqa: PTH123
        file.write(text.encode())


def refused(read, text):
    put(text)
    try:
        read(PATH)
    except manifest.BadManifest:
        return True
    return False


for case in VECTORS["manifests"]:
    put(case["text"])
    head, means = manifest.read(PATH), case["means"]
    files = [[path, size, sha256] for size, sha256, path in manifest.files(PATH, head)]
    got = (head.kind, head.target, head.chip, head.version, head.security, head.mpy, head.size, files)
    wanted = [means[key] for key in ("kind", "target", "chip", "version", "security", "mpy", "size", "files")]
    if got != tuple(wanted) or binascii.hexlify(manifest.digest(PATH)).decode() != case["id"]:
        differs.append(case["name"])
differs += [case["name"] for case in VECTORS["bad_manifests"] if not refused(manifest.read, case["text"])]
differs += [case["name"] for case in VECTORS["bad_signatures"] if not refused(manifest.signatures, case["text"])]
KEYS = {key["id"]: binascii.unhexlify(key["modulus"]) for key in VECTORS["keys"]}
for case in VECTORS["signatures"]:
    put(case["signatures"])
    digest = hashlib.sha256(case["manifest"].encode()).digest()
    given = [one for one in manifest.signatures(PATH) if one[0] in case["trusted"]]
    if [id for id, value in given if rsa.verifies(KEYS[id], value, digest)] != case["signed_by"]:
        differs.append(case["name"])
print(json.dumps(differs))
