"""The older vending machines and their web page."""
