"""Firmware for many devices: in waves, watched, stopped when too many fail."""
