"""Groups: devices that are named together, for firmware and for what panels show."""
