"""Readings in, latest values, history, rollups; what a device shall be and what it is."""
