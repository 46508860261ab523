"""What people say of machines: which there are, what tells of them, shifts and planned times, why they stopped."""
