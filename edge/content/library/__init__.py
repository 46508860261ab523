"""The pictures that people have uploaded: looked at, kept once each by their hash, handed out."""
