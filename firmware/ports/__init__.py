"""What touches hardware, or its stand-in on a computer."""
