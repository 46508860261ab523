"""A payment display: QR codes and stored pictures on a 320x480 TFT."""
