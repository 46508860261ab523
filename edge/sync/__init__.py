"""Sending what this site knows to the centre, and doing what the centre asks."""
