"""The older asset logger's web pages: what they read and change, and what they are told as it happens."""
