"""Which machines run, since when, and how often they stopped."""
