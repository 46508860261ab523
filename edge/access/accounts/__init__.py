"""The people of apps: accounts, passwords, sessions and tokens."""
