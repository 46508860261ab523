"""Virtual devices and lines."""
