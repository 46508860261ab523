"""Questions to the technician. Each answers through the screen it was asked from; None means Cancel."""
