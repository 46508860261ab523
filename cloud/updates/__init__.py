"""Firmware of all sites: artifacts, who may sign them, groups, and rollouts that hubs carry out."""
