"""The firmware this hub holds, and whose signatures it trusts."""
