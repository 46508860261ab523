"""Slots, inventory, transactions."""
