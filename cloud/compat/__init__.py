"""The older systems' app-facing paths, routed to the hub that has the device."""
