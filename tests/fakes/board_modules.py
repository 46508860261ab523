"""What MicroPython on an ESP32 has and MicroPython on a computer has not, as files for the virtual board's VM.

`esp32.NVS` keeps its values where our firmware's unix port has them, in files of the board's own file system;
`machine.reset` ends the VM, and the board starts it anew.
"""

ESP32 = """
import os
FOLDER = "/nvs/"
class NVS:
    def __init__(self, name):
        self._new = {}
    def get_i32(self, key):
        with open(FOLDER + key) as file:
            return int(file.read())
    def set_i32(self, key, value):
        self._new[key] = str(value)
    def erase_key(self, key):
        os.remove(FOLDER + key)
    def commit(self):
        try:
            os.mkdir(FOLDER[:-1])
        except OSError:
            pass
        for key, value in self._new.items():
            with open(FOLDER + key, "w") as file:
                file.write(value)
        self._new = {}
"""

MACHINE = """
import os
def reset():
    os.system("kill -9 $PPID")
"""

START = """
import sys
sys.path.insert(0, {modules!r})
import esp32, machine
sys.path.pop(0)
import vfs
vfs.umount("/")
vfs.mount(vfs.VfsPosix({files!r}), "/")
"""
"""Run before the prompt: from there on the board sees its own files, as its root."""
