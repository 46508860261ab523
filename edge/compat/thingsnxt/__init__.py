"""The older sensors-and-switches platform: its devices and its apps."""
