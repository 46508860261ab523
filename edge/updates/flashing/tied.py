"""Become another program that ends when the process that started it does: `tied.py PARENT PROGRAM ARGUMENTS ...`

A hub that is killed leaves no esptool behind that goes on writing to a port nobody watches. Run as a script, by the
path of this file: it imports nothing of ours and is there in a few milliseconds.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; outlives exec

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)  # it was gone before the line above
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - an argument list, made by process.py
