"""Devices, commands and vends of all sites, as facts and states tell them."""
