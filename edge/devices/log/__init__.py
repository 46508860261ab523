"""What was said to and by each device, kept a while."""
