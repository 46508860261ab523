"""Sites, the codes that enrol their hubs, and which hub is calling."""
