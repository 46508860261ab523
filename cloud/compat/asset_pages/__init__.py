"""The older asset logger's web pages at the centre, for people from anywhere."""
