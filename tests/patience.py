"""How long a test waits for what should come at once; figures are measured in `tests/bench`."""

AT_ONCE_S = 30.0
"""A busy machine is late by less; what waits for a timer, a deadline or another's end is later."""
