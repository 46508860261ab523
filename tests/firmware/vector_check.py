"""Run by the board's own Python: the firmware's codec against the vectors. Prints what differs, then `done`."""

import json
import sys

sys.path.insert(0, sys.argv[1])

import binascii

from outpost import frames, outbox
from outpost.inbox import BadMessage, Inbox

with open(sys.argv[2]) as file:  # noqa: PTH123
    VECTORS = json.load(file)


def check(name, got, wanted):
    if got != wanted:
        print("differs:", name, got, wanted)


def decoded(case):
    blocks = frames.Parser().feed(binascii.unhexlify(case["wire"]))
    found = [frames.decode(block, case["session"]) for block in blocks]
    return [frame for frame in found if frame is not None]


def received(message):
    """What the inbox makes of a message that comes in parts of 100 bytes."""
    inbox = Inbox()
    parts = [message[at : at + 100] for at in range(0, len(message), 100)]
    for i, part in enumerate(parts):
        inbox.take(frames.DATA_END if i == len(parts) - 1 else frames.DATA, i, part, 0)
    header, blob = inbox.message()
    return header, bytes(blob)


for case in VECTORS["cobs"]:
    plain, encoded = binascii.unhexlify(case["plain"]), binascii.unhexlify(case["encoded"])
    check("cobs", frames.cobs_encode(plain), encoded)
    check("cobs back", frames.cobs_decode(encoded), plain)

for case in VECTORS["frames"]:
    kind = getattr(frames, case["type"])
    payload = binascii.unhexlify(case["payload"])
    session = frames.NO_SESSION if kind in (frames.SYNC, frames.ANNOUNCE) else case["session"]
    check(case["name"], frames.encode(kind, case["seq"], payload, session), binascii.unhexlify(case["wire"]))
    check(case["name"], decoded(case), [(kind, case["seq"], payload)])

for case in VECTORS["refused"]:
    check(case["name"], decoded(case), [])

for case in VECTORS["streams"]:
    wanted = [(getattr(frames, t), seq, binascii.unhexlify(payload)) for t, seq, payload in case["frames"]]
    check(case["name"], decoded(case), wanted)

for case in VECTORS["messages"]:
    got = received(binascii.unhexlify(case["message"]))
    check(case["name"], got, (json.loads(case["header"]), binascii.unhexlify(case["blob"])))

for case in VECTORS["refused_messages"]:
    try:  # noqa: SIM105 - MicroPython has no contextlib
        check(case["name"], received(binascii.unhexlify(case["message"])), None)
    except BadMessage:
        pass

header = {"type": "result", "id": "x", "seq": 1}
check("its own messages", received(outbox.encode_message(header)), (header, b""))
print("done")
