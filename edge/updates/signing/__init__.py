"""Keys, signatures, and the one file that holds a piece of firmware with both."""
