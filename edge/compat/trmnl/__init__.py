"""TRMNL e-paper terminals that were pointed at this hub instead of their maker's server (docs/compat/trmnl.md)."""
