"""Pictures: QR codes and photos, taken in with suspicion and drawn for the panel that shows them."""
