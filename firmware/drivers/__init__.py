"""Drivers of panels: bytes to a bus, no decisions."""
