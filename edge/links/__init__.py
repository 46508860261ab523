"""Bytes to and from a device. Knows ports, frames and sessions; knows no meaning."""
