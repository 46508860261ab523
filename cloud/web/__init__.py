"""Head office's pages: rendered here, readable without script, kept live by a little of it."""
