"""The board with a light: shows patterns, and is how one sees that an update has come."""
