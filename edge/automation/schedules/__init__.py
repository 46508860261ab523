"""What shall be done later, once or again and again."""
