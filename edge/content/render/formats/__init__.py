"""The formats panels take, a file each: pixels to bytes and back, nothing of what they show."""
