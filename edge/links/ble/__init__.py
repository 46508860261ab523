"""Bluetooth Low Energy: one owner of the adapter, what it hears, and the connections it lends."""
