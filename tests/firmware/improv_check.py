"""Run by the board's own Python: Improv's bytes against the vectors. Prints what differs, then `done`."""

import binascii
import json
import sys

sys.path.insert(0, sys.argv[1])

from outpost import improv, improv_serial

with open(sys.argv[2]) as file:  # noqa: PTH123
    VECTORS = json.load(file)
STEPS = (1, 3, 1000)


def check(name, got, wanted):
    if got != wanted:
        print("differs:", name, got, wanted)


def raw(text):
    return binascii.unhexlify(text)


def parsed(data, step, anywhere=True):
    parser = improv_serial.Parser()
    rest = b"".join([parser.feed(data[at : at + step], 0, anywhere) for at in range(0, len(data), step)])
    return parser, rest


def fields(command, data):
    """What is in a command, by the names of the vectors."""
    if command == improv.WIFI:
        ssid, password = improv.wifi_of(data)
        return {"ssid": ssid, "password": password}
    names = {improv.HOSTNAME: "hostname", improv.NAME: "name"}
    return {names[command]: data.decode()} if data else {}


def malformed(rpc):
    try:
        improv.wifi_of(improv.command_of(rpc)[1])
    except improv.BadRpc:
        return True
    return False


for case in VECTORS["packets"]:
    check(case["name"], improv_serial.packet(case["type"], raw(case["data"])), raw(case["wire"]))

for case in VECTORS["commands"]:
    rpc = raw(case["rpc"])
    for step in STEPS:
        parser, rest = parsed(raw(case["serial"]), step)
        check(case["name"], (parser.packets, rest), ([(improv_serial.RPC, rpc)], b""))
    check(case["name"], improv.summed(rpc), raw(case["ble"]))
    command, data = improv.command_of(rpc)
    check(case["name"], (command, fields(command, data)), (case["command"], case["fields"]))

for case in VECTORS["malformed"]:
    check(case["name"], malformed(raw(case["rpc"])), True)

for case in VECTORS["results"]:
    rpc = improv.result_of(case["command"], case["strings"])
    check(case["name"], rpc, raw(case["rpc"]))
    check(case["name"], improv_serial.packet(improv_serial.RPC_RESULT, rpc), raw(case["serial"]))
    check(case["name"], improv.summed(rpc), raw(case["ble"]))

for case in VECTORS["streams"]:
    wanted = [(kind, raw(data)) for kind, data in case["packets"]]
    for step in STEPS:
        check(case["name"], parsed(raw(case["bytes"]), step)[0].packets, wanted)

packet = raw(VECTORS["commands"][0]["serial"])
for step in STEPS:  # a frame that holds one: with a session it is the frame's
    frame = b"\0\x50\x10\x07" + packet + b"\0"
    parser, rest = parsed(frame + packet, step, anywhere=False)
    check("in a frame", (len(parser.packets), rest), (1, frame))
parser = improv_serial.Parser()
check("half a packet", (parser.feed(packet[:20], 0, True), parser.feed(b"", 1000, True)), (b"", b""))
check("then a whole one", (parser.feed(packet, 1000, True), len(parser.packets)), (b"", 1))
check("text that begins like one", (parser.feed(b"IMP", 0, True), parser.feed(b"", 1000, True)), (b"", b"IMP"))
print("done")
