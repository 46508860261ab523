"""Readings of all sites: history, rollups, retention, export."""
