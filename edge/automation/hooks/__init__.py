"""Webhooks: who else is told, and how often it is tried."""
