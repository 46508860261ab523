"""Serving HTTP, the same at the hub and at the centre. Knows no capability."""
