"""What every variant shares. Runs on MicroPython 1.22+ and, for development, on CPython 3.11+."""

VERSION = "0.1.0"
