"""Plots as values: points in, what the template draws out. Pure; no text of a page is made here."""
