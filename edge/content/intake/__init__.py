"""Pictures in, with suspicion: whatever form a caller sends them in, opened in a process of its own."""
