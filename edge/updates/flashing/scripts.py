"""What a board's MicroPython is told to run, as text: each says its answer in one line that begins with SAYS.

They know the folders and the numbers of firmware/outpost_boot.py, and nothing else of our firmware: a board may run
an older one, or none. Where there is no `esp32` module (MicroPython on a computer) there is no boot slot.
"""

SAYS = "outpost: "

_NUMBERS = """
import os
def number(key, default):
    try:
        import esp32
        return esp32.NVS("outpost").get_i32(key)
    except (ImportError, OSError):
        return default
"""

LOOK = (
    _NUMBERS
    + f"""
import sys, binascii, hashlib
slot = number("slot", 0)
slot = slot if slot in (0, 1) else 0
def app(folder):
    try:
        with open("/" + folder + "/manifest", "rb") as file:
            return binascii.hexlify(hashlib.sha256(file.read()).digest()).decode()
    except OSError:
        return ""
found = app("ab"[slot])
good = number("ok", slot + 1) - 1
stays = good if good in (0, 1) and app("ab"[good]) else slot if found else 1 - slot
space = os.statvfs("/")
release = ".".join([str(part) for part in sys.implementation.version[:3]])
print({SAYS!r} + repr({{"release": release, "free": space[1] * space[4] if space[1] else space[0] * space[4],
    "into": 1 - stays, "has_app": bool(found), "app": found}}))
"""
)

REMOVE = f"""
import os
def remove(path):
    try:
        for name in os.listdir(path):
            remove(path + "/" + name)
    except OSError:
        pass
    for away in (os.remove, os.rmdir):
        try:
            away(path)
            return
        except OSError:
            pass
for path in {{paths!r}}:
    remove(path)
print({SAYS!r} + "True")
"""

FOLDERS = f"""
import os
for path in {{paths!r}}:
    try:
        os.mkdir(path)
    except OSError:
        pass
print({SAYS!r} + "True")
"""

HASHES = f"""
import binascii, hashlib
found = []
piece = bytearray(1024)
for path in {{paths!r}}:
    try:
        hash = hashlib.sha256()
        with open(path, "rb") as file:
            while True:
                count = file.readinto(piece)
                if not count:
                    break
                hash.update(memoryview(piece)[:count])
        found.append(binascii.hexlify(hash.digest()).decode())
    except OSError:
        found.append("")
print({SAYS!r} + repr(found))
"""

SLOT = f"""
try:
    import esp32
    nvs = esp32.NVS("outpost")
    nvs.set_i32("ok", {{ok}})
    nvs.set_i32("try", 0)
    nvs.set_i32("slot", {{slot}})
    for key in ("why", "back"):
        try:
            nvs.erase_key(key)
        except OSError:
            pass
    nvs.commit()
except ImportError:
    pass
print({SAYS!r} + "True")
"""
"""A cut in between is no harm: all of it is committed at once, and an `ok` for the other folder means a trial."""

NEW_MICROPYTHON = f"""
try:
    import esp32
    nvs = esp32.NVS("outpost")
    for key in ("image", "image_of", "image_at", "update"):
        try:
            nvs.erase_key(key)
        except OSError:
            pass
    nvs.commit()
except ImportError:
    pass
print({SAYS!r} + "True")
"""
"""What was kept of the image that ran before is true no more, nor what was under way."""
