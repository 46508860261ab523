"""What the `outpost` command does: one file a verb."""
