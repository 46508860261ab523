"""Which agent sits at which display."""
