"""What a firmware file is, by its bytes alone."""
