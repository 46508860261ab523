"""The older payment displays: their web pages, PC program and displays."""
