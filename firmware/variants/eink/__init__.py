"""The e-paper board: says who it is, on a panel that keeps it without power."""
