"""Sensors that advertise what they measure over Bluetooth, in the open format BTHome v2 (bthome.io)."""
