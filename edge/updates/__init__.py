"""Firmware: what it is made of and who signed it, where it is kept, and how devices come to run it."""
