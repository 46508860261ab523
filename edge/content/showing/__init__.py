"""What each panel shows now: which screen is its turn, drawn once for all that show the same, and what they
tell."""
