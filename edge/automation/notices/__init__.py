"""What people are told, until they have read it."""
