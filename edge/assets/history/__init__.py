"""What an older asset logger wrote down before there was a hub, taken over."""
