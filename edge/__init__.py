"""The hub: it owns a site's ESP32s and is complete without the centre."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("outpost-hub")
except PackageNotFoundError:  # run from a tree that was never installed
    __version__ = "0"
