"""What a device shall be: its desired state, and how far it has come."""
