"""Bands made of what loggers say: as it comes, and anew where a rule or a late reading changes what was."""
