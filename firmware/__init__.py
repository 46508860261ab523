"""The firmware of Outpost's ESP32s. This folder's contents are the root of a device's file system."""
