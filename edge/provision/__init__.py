"""How a new board gets its WiFi and its hub."""
