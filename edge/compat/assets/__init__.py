"""The older asset logger's web pages."""
